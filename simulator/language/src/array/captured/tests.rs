use std::sync::Arc;

use sansim_array::{
    AluaConfig, Array, ArrayConfig, Buffers, Command, CommandRecord, ControllerConfig, Disposition,
    DmaError, EmcConfig, FrameConfig, HbaId, HpSwConfig, HwHandlerConfig, Identity, LunConfig,
    Mapping, Nexus, Observer, PortId, RdacConfig, StateChange,
};
use sansim_time::Time;

use super::*;

/// An offset, and the bytes from there in hexadecimal.
type Line = (usize, Vec<String>);

/// As sg_vpd and sg_inq print it, xxd, hexdump, and a person.
fn dumps(bytes: &[u8]) -> [String; 4] {
    let line = |n: usize, bytes: &[u8]| {
        let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        (16 * n, hex)
    };
    let lines: Vec<_> = bytes.chunks(16).enumerate().map(|(n, bytes)| line(n, bytes)).collect();
    let sg = |(at, hex): &Line| {
        let (left, right) = hex.split_at(hex.len().min(8));
        format!(" {at:02x}     {}  {}    00 00.....\n", left.join(" "), right.join(" "))
    };
    let xxd = |(at, hex): &Line| {
        let pairs: Vec<_> = hex.chunks(2).map(<[String]>::concat).collect();
        format!("{at:08x}: {}  ..........\n", pairs.join(" "))
    };
    let hexdump = |(at, hex): &Line| {
        let (left, right) = hex.split_at(hex.len().min(8));
        format!("{at:08x}  {}  {}  |00 00   ...|\n", left.join(" "), right.join(" "))
    };
    let plain = |(_, hex): &Line| format!("{}\n", hex.join(", 0x"));
    let all = |text: &dyn Fn(&Line) -> String| lines.iter().map(text).collect();
    [all(&sg), all(&xxd), all(&hexdump), all(&plain)]
}

struct Deaf;

impl Observer for Deaf {
    fn command(&self, _: &CommandRecord) {}

    fn state(&self, _: &StateChange) {}
}

struct DataIn(Vec<u8>);

impl Buffers for DataIn {
    fn data_in_len(&self) -> usize {
        CapturedPage::MAX_BYTES
    }

    fn data_out_len(&self) -> usize {
        0
    }

    fn put(&mut self, bytes: &[u8]) -> Result<usize, DmaError> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn take(&mut self, _: &mut [u8]) -> Result<usize, DmaError> {
        Ok(0)
    }
}

fn array(personality: PersonalityConfig, captured: CapturedPage) -> Array {
    let frame = FrameConfig::new(personality, vec![ControllerConfig { ports: 1 }; 2]);
    let frame = FrameConfig { identity: Identity::for_rdac(), captured: vec![captured], ..frame };
    let lun = LunConfig {
        lun: Lun(0),
        bytes: 1 << 20,
        block_bytes: 512,
        owner: ControllerId::A,
        preferred: ControllerId::A,
        partner: None,
        label: String::new(),
        read_only: false,
        name: None,
        mapping: Mapping::default(),
    };
    let config = ArrayConfig::new(vec![frame], vec![lun], 1);
    Array::new(config, Arc::new(Deaf)).expect("an array with a captured page")
}

/// The array answers INQUIRY for the page with as many bytes as were captured.
fn serve(personality: PersonalityConfig, captured: CapturedPage) {
    let (evpd, code) = match captured.page {
        InquiryPage::Standard => (0, 0),
        InquiryPage::Vpd(code) => (1, code),
    };
    let (frozen, bytes) = (captured.frozen, captured.bytes.clone());
    let array = array(personality, captured);
    let nexus = Nexus { hba: HbaId(0), port: PortId { controller: ControllerId::A, index: 0 } };
    let cdb = [0x12, evpd, code, 0xff, 0xff, 0];
    let command = Command { nexus, lun: Lun(0), tag: 0, cdb: &cdb };
    let mut data = DataIn(Vec::new());
    let Disposition::Complete(completion) = array.submit(Time::ZERO, &command, &mut data) else {
        panic!("INQUIRY is answered at once");
    };
    assert_eq!(completion.sense, None);
    let told = bytes.len().min(0xffff);
    assert_eq!(data.0.len(), told);
    assert!(!frozen || data.0 == bytes[..told]);
}

/// A page: the family of arrays, what is captured, and its dump in any form.
fn captures(bytes: &[u8]) {
    let [family, page, kind, text @ ..] = bytes else { return };
    let Ok(mut bytes) = hex_dump::bytes(text, |_| true) else { return };
    assert!(bytes.len() <= CapturedPage::MAX_BYTES);
    for dump in dumps(&bytes) {
        let read = hex_dump::bytes(dump.as_bytes(), |read| read == bytes);
        assert_eq!(read.as_ref(), Ok(&bytes), "{dump}");
    }
    if kind & 4 != 0 {
        // What is read must be one of the answers that are written.
        if let Ok(groups) = CapturedGroups::new(NexusPattern::ALL, None, &bytes, false) {
            let again = CapturedGroups::new(NexusPattern::ALL, None, &groups.data(), false);
            assert_eq!(again.map(|again| again.data()), Ok(groups.data()));
        }
        return;
    }
    let personality = match family % 5 {
        0 => PersonalityConfig::Rdac(RdacConfig::default()),
        1 => PersonalityConfig::Emc(EmcConfig::default()),
        2 => PersonalityConfig::HpSw(HpSwConfig::default()),
        3 => PersonalityConfig::Alua(AluaConfig::default()),
        _ => PersonalityConfig::HwHandler(HwHandlerConfig::default()),
    };
    let page = if kind & 1 == 0 { InquiryPage::Standard } else { InquiryPage::Vpd(*page) };
    let _ = harmless(page, &bytes, &personality);
    if let Ok(length) = form(CapturedName::Inquiry(page), &bytes) {
        bytes.truncate(length);
        let frozen = kind & 2 == 0;
        let page = CapturedPage { page, to: NexusPattern::ALL, lun: None, bytes, frozen };
        serve(personality, page);
    }
}

#[test]
fn any_capture_is_read_and_served_or_refused() {
    sansim_fuzz::fuzz("captures", captures);
}
