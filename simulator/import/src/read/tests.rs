//! Single outputs.

use super::*;
use crate::facts::Address;

fn facts(name: &str, text: &str) -> Facts {
    let mut facts = Facts::default();
    let text = Text { name: name.to_owned(), text: text.to_owned() };
    assert!(read(&text, &mut facts).is_some(), "{name}");
    facts.settle();
    facts
}

#[test]
fn sizes_features_and_handlers_are_understood() {
    assert_eq!(size("256M"), Some(256 << 20));
    assert_eq!(size("8.0G"), Some(8 << 30));
    assert_eq!(size("930 GB"), Some(930 << 30));
    assert_eq!((size("x"), size("12"), size("1e400G")), (None, None, None));
    assert_eq!(
        features("3 queue_if_no_path pg_init_retries 50"),
        ["queue_if_no_path", "pg_init_retries 50"]
    );
    assert_eq!(features("0"), Vec::<String>::new());
    assert_eq!(
        (handler("1 rdac"), handler("0"), handler("")),
        (Some("rdac".into()), Some("".into()), None)
    );
}

#[test]
fn a_table_and_its_status_are_one_map() {
    let text = "lun0: 0 524288 multipath 3 queue_if_no_path pg_init_retries 50 1 rdac 2 1 service-time 0 2 2 8:0 1 1 \
                8:64 1 1 service-time 0 1 2 8:32 1 1 \nlun0: 0 524288 multipath 2 0 1 0 2 1 A 0 2 2 8:0 A 0 0 1 8:64 \
                F 1 0 1 E 0 1 2 8:32 A 0 0 1 \n";
    let facts = facts("dmsetup", text);
    let map = &facts.maps[0];
    assert_eq!((facts.maps.len(), map.groups.len(), map.size), (1, 2, Some(256 << 20)));
    assert_eq!(map.handler.as_deref(), Some("rdac"));
    assert_eq!(map.groups[0].paths[1].number.as_deref(), Some("8:64"));
    assert!(facts.only_dm);
}

#[test]
fn a_path_without_an_address_is_found_by_its_disk() {
    let lsscsi = "[2:0:1:5]    disk    NETAPP   LUN C-Mode       9800  /dev/sdc \n";
    let mut facts = facts("lsscsi", lsscsi);
    let table = Text {
        name: "t".into(),
        text: "m: 0 8 multipath 0 0 1 1 service-time 0 1 1 8:32 1 \n".into(),
    };
    read(&table, &mut facts);
    facts.settle();
    let address = Address { host: 2, channel: 0, target: 1, lun: 5 };
    assert_eq!(facts.maps[0].groups[0].paths[0].address, Some(address));
    assert_eq!(facts.maps[0].vendor, "NETAPP");
}

#[test]
fn proc_scsi_and_versions_are_read() {
    let text = "Attached devices:\nHost: scsi2 Channel: 00 Id: 01 Lun: 05\n  Vendor: NETAPP   Model: LUN C-Mode       Rev: \
                9800\n  Type:   Direct-Access                    ANSI  SCSI revision: 05\n";
    let disks = facts("proc/scsi/scsi", text).disks;
    let (address, disk) = disks.iter().next().unwrap();
    assert_eq!((address.to_string().as_str(), disk.revision.as_str()), ("2:0:1:5", "9800"));
    let kernel = |text| facts("uname", text).kernel.unwrap();
    assert_eq!(
        kernel("Linux h 5.14.0-362.8.1.el9_3.x86_64 #1 SMP\n"),
        "5.14.0-362.8.1.el9_3.x86_64"
    );
    let tools = |text| facts("installed", text).tools.unwrap();
    assert_eq!(
        tools("zsh-5.8-9\ndevice-mapper-multipath-0.8.7-22.el9.x86_64  Mon\n"),
        "0.8.7-22.el9.x86_64"
    );
    assert_eq!(tools("ii  multipath-tools  0.9.4-3+deb12u1 amd64  x\n"), "0.9.4-3+deb12u1");
}

#[test]
fn pages_are_told_apart_by_what_is_in_them() {
    let c9 = "Volume access control (RDAC) VPD Page:\n 00     00 c9 00 08 76 61 63 31  11 01 00 00    ...,vac1....\n";
    let page = &facts("sg_vpd", c9).pages[0];
    assert_eq!((page.name.as_str(), page.bytes.len()), ("c9", 12));
}

#[test]
fn tools_that_write_a_line_for_each_word_are_read() {
    let text = "3600508b4001072a10003900027800001\n[size=127 GB]\n[features=\"0\"]\n[hwhandler=\"1 emc\"]\n\\_ round-robin 0 \
                [first]\n \\_ 1:0:1:2 sdav 66:240 [ready ]\n\\_ round-robin 0\n \\_ 1:0:0:2 sdag 66:0 [ready ]\n";
    let map = &facts("multipath_-ll", text).maps[0];
    assert_eq!(
        (map.handler.as_deref(), map.groups.len(), map.groups[0].active),
        (Some("emc"), 2, true)
    );
    assert_eq!(map.wwid.as_deref(), Some("3600508b4001072a10003900027800001"));
}
