//! What a report tells of becomes a story with a verdict about it.

use super::*;

fn text(name: &str, text: &str) -> Text {
    Text { name: name.to_owned(), text: text.to_owned() }
}

/// The scenario of an output, and of a log if there is one.
fn of(output: &str, log: Option<&str>) -> Imported {
    let mut gathered = Gathered::default();
    gathered.texts.push(text("multipath-ll", output));
    let log = log.map(|log| text("messages", log));
    let imported = scenario(&gathered, log.as_ref(), &Options::default());
    let imported = imported.unwrap_or_else(|error| panic!("{error}"));
    load(&imported.toml);
    imported
}

#[track_caller]
fn assert_has(imported: &Imported, parts: &[&str]) {
    for part in parts {
        assert!(imported.toml.contains(part), "{part}\n{}", imported.toml);
    }
}

fn map(name: &str, lun: u32, features: &str, states: [&str; 2]) -> String {
    format!(
        "{name} (3600a0b80000{lun:04}000000000000000000) dm-{lun} NETAPP,LUN C-Mode\n\
         size=1.0G features='{features}' hwhandler='1 alua' wp=rw\n\
         |-+- policy='service-time 0' prio=50 status=active\n\
         | `- 4:0:0:{lun} sdc 8:32 {}\n\
         `-+- policy='service-time 0' prio=10 status=enabled\n  `- 5:0:0:{lun} sdd 8:48 {}\n",
        states[0], states[1]
    )
}

const QUEUE: &str = "1 queue_if_no_path";
const READY: &str = "active ready running";
const FAULTY: &str = "failed faulty running";
const GIVEN_UP: &str = "failed ready running";

#[test]
fn a_lun_that_is_gone_where_others_are_well_is_masked_and_no_link_is_down() {
    let maps = map("a", 1, QUEUE, [READY; 2]) + &map("b", 2, QUEUE, [FAULTY; 2]);
    let imported = of(&maps, None);
    assert_has(&imported, &["mask = { lun = 2 }", "lun = 1\npaths = { active = 2, failed = 0 }"]);
    assert_has(&imported, &["at = \"60s\"\nlun = 2\npaths = { active = 0, failed = 2 }"]);
    assert!(!imported.toml.contains("link ="), "{}", imported.toml);
    // On one path alone.
    let maps = map("a", 1, QUEUE, [READY; 2]) + &map("b", 2, QUEUE, [READY, FAULTY]);
    assert_has(&of(&maps, None), &["mask = { lun = 2, hba = 1, port = \"B0\" }"]);
}

#[test]
fn a_path_that_only_dm_multipath_has_failed_is_failed_by_hand_and_must_be_taken_back() {
    for state in [GIVEN_UP, "failed undef running"] {
        let imported = of(&map("a", 1, QUEUE, [READY, state]), None);
        assert_has(
            &imported,
            &[
                "\"{map:lun1}\", \"0\", \"fail_path {disk:hba1:B0:lun1}\"",
                "path = [{ port = \"B0\", hba = 1, state = \"failed\" }]",
                "after = \"turn 1: hba1:B0 of LUN 1 is failed\"\nlun = 1\npaths = { active = 2, failed = 0 }",
            ],
        );
    }
}

#[test]
fn maps_that_one_text_shows_again_are_the_turns_of_a_story() {
    let maps = map("a", 1, QUEUE, [READY; 2]);
    let text = format!(
        "{maps}# ip link set eth1 down\n{}# ip link set eth1 up\n{}{maps}",
        map("a", 1, QUEUE, [FAULTY, READY]),
        map("a", 1, QUEUE, [GIVEN_UP, READY])
    );
    let imported = of(&text, None);
    assert_has(
        &imported,
        &[
            "name = \"turn 2\"\nat = \"62s\"\nlink = { port = \"A0\", hba = 0, up = false }",
            "by = \"121s\"\nafter = \"turn 2\"\nlun = 1\npaths = { active = 1, failed = 1 }",
            "name = \"turn 3\"\nat = \"123s\"\nlink = { port = \"A0\", hba = 0, up = true }",
            "after = \"turn 3\"\nlun = 1\npaths = { active = 2, failed = 0 }",
        ],
    );
    // It was failed when its link was down: nobody has to fail it.
    assert!(!imported.toml.contains("fail_path"), "{}", imported.toml);
    // Two texts about one moment are no turns.
    let mut gathered = Gathered::default();
    for _ in 0..2 {
        gathered.texts.push(super::stories::text("multipath-ll", &maps));
    }
    let imported = scenario(&gathered, None, &Options::default()).unwrap();
    assert!(!imported.toml.contains("turn"), "{}", imported.toml);
}

#[test]
fn without_a_path_io_waits_or_fails_as_the_map_says() {
    let imported = of(&map("a", 1, QUEUE, [FAULTY; 2]), None);
    assert_has(&imported, &["no_path_retry queue", "longest_stall = \">= 30s\"", "at = \"60s\""]);
    let imported = of(&map("a", 1, "0", [FAULTY; 2]), None);
    assert_has(&imported, &["no_path_retry fail", "errors = \">= 1\", corrupt = 0, stuck = 0"]);
    let both = map("a", 1, QUEUE, [FAULTY; 2]) + &map("a", 1, QUEUE, [READY; 2]);
    assert_has(&of(&both, None), &["none is lost", "io = { errors = 0, corrupt = 0 }"]);
}

#[test]
fn the_workload_is_on_the_lun_that_has_lost_something_and_not_all() {
    let maps = map("a", 1, QUEUE, [READY; 2])
        + &map("b", 2, QUEUE, [FAULTY; 2])
        + &map("c", 3, QUEUE, [READY, FAULTY]);
    assert_has(&of(&maps, None), &["[workload]\nlun = 3\n"]);
}

#[test]
fn outputs_are_read_as_people_paste_them() {
    let plain = map("mpatha", 1, QUEUE, [READY, FAULTY]);
    let blank = plain.replace('\n', "  \n\n");
    let indented: String = plain.lines().map(|line| format!("    {line}\n")).collect();
    let whole = of(&plain, None).toml;
    assert_eq!(of(&format!("multipathd> {plain}multipathd> \n"), None).toml, whole);
    assert_eq!(of(&blank, None).toml, whole);
    assert_eq!(of(&indented, None).toml, whole);
}

#[test]
fn luns_that_no_host_has_room_for_are_made_smaller() {
    let maps = map("a", 1, QUEUE, [READY; 2]) + &map("b", 2, QUEUE, [READY; 2]);
    let imported = of(&maps.replace("size=1.0G", "size=54T"), None);
    assert_has(&imported, &["size = \"32TiB\"", "no LUN is larger than 32TiB"]);
}

#[test]
fn maps_without_a_path_are_said_to_be_left_out() {
    let maps = map("a", 1, QUEUE, [READY; 2])
        + "b dm-2 ##,##\nsize=1.0G features='0' hwhandler='0' wp=rw\n";
    assert_has(&of(&maps, None), &["maps: 1 are left out"]);
}

fn one_group() -> String {
    "3600a0b800000001000000000000000001 dm-3 PURE,FlashArray\nsize=1.0G features='0' hwhandler='1 alua' wp=rw\n\
     `-+- policy='service-time 0' prio=50 status=active\n  |- 4:0:0:1 sdc 8:32 active ready running\n  \
     |- 5:0:0:1 sdd 8:48 active ready running\n  |- 6:0:0:1 sde 8:64 active ready running\n  \
     `- 7:0:0:1 sdf 8:80 active ready running\n"
        .to_owned()
}

#[test]
fn an_access_state_in_a_log_is_the_arrays_and_tells_the_controllers_apart() {
    // Mailed: the long lines are broken, and the sense key is cut off.
    let log = "Nov 30 01:36:13 dbhost01 kernel: sd 6:0:0:1: [sde] tag#1178 Add.\n\
               Sense: Logical unit not accessible, target port in unavailable state\n\
               Nov 30 01:36:13 dbhost01 kernel: sd 7:0:0:1: [sdf] tag#600 Add.\n\
               Sense: Logical unit not accessible, target port in unavailable state\n\
               Nov 30 01:36:13 dbhost01 kernel: device-mapper: multipath: 253:3: Failing path\n8:64.\n\
               Nov 30 01:36:13 dbhost01 kernel: device-mapper: multipath: 253:3: Failing path\n8:80.\n\
               Nov 30 01:36:14 dbhost01 kernel: device-mapper: multipath: 253:3: Failing path\n8:32.\n\
               Nov 30 01:36:14 dbhost01 kernel: device-mapper: multipath: 253:3: Failing path\n8:48.\n";
    let imported = of(&one_group(), Some(log));
    assert_has(
        &imported,
        &[
            "targets = [[\"A0\"], [\"A1\"], [\"B0\"], [\"B1\"]]",
            "at = \"1000ms\"\nport_group = { group = 2, state = \"unavailable\" }",
            "at = \"2000ms\"\nport_group = { group = 1, state = \"transitioning\" }",
            "at = \"12000ms\"\nport_group = { group = 1 }",
            "io = { errors = 0, corrupt = 0 }",
            "path = { port = \"A0\", hba = 0, state = \"active\" }",
            "at = \"61s\"\npath = [{ port = \"B0\", hba = 2, state = \"failed\" }, { port = \"B1\", hba = 3, state = \"failed\" }]",
        ],
    );
}

#[test]
fn a_checker_of_today_tells_what_is_down_and_what_is_back() {
    let log = "Nov 30 01:36:13 h multipathd[312]: mpatha: sdc - tur checker reports path is down\n\
               Nov 30 01:36:14 h multipathd[312]: mpatha: sdd - path offline\n\
               Nov 30 01:36:33 h multipathd[312]: mpatha: sdc - tur checker reports path is up\n";
    let imported = of(&one_group(), Some(log));
    assert_has(
        &imported,
        &[
            "at = \"1000ms\"\nlink = { port = \"A0\", hba = 0, up = false }",
            "at = \"21000ms\"\nlink = { port = \"A0\", hba = 0, up = true }",
            "path = [{ port = \"B0\", hba = 1, state = \"failed\" }]",
        ],
    );
}

#[test]
fn a_log_of_the_oldest_kernels_is_read_without_its_dates_too() {
    let log = "01:36:13 h kernel: SCSI error : <4 0 0 1> return code = 0x10000\n\
               01:36:13 h kernel: device-mapper: dm-multipath: Failing path 8:32\n";
    let imported = of(&one_group(), Some(log));
    assert_has(&imported, &["link = { port = \"A0\", hba = 0, up = false }", "Failing path 8:32"]);
}

#[test]
fn the_priority_of_a_path_that_is_down_tells_no_controller() {
    let maps = "mpatha (3600a0b800000001000000000000000001) dm-3 IBM,1814      FAStT\n\
                size=1.0G features='0' hwhandler='1 rdac' wp=rw\n\
                |-+- policy='service-time 0' prio=14 status=active\n| `- 4:0:0:1 sdc 8:32 active ready running\n\
                `-+- policy='service-time 0' prio=9 status=enabled\n  |- 4:0:1:1 sdd 8:48 active ghost running\n  \
                |- 5:0:0:1 sde 8:64 failed faulty running\n  `- 5:0:1:1 sdf 8:80 active ghost running\n";
    let imported = of(maps, None);
    assert_has(
        &imported,
        &["targets = [[\"A0\", \"B0\"], [\"A1\", \"B1\"]]", "nothing tells whose"],
    );
}
