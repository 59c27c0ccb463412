//! Tests with real guests. The image is built once (and kept in the target directory), booted, saved and
//! restored, with HBAs of sansim-hba in front of an array of sansim-array. Always under TCG, so that the
//! result is the same on every host.

mod lab;
mod parent;
mod user_kernel;
mod user_parts;
mod vendor_parts;

use std::{fs, time::Duration};

use lab::{Lab, Said, San};
use sansim_lab::{ExitReason, LabError, Machine, Quiet, Templates};
use sansim_protocol::{Answer, Call, Ended, Happening};

#[tokio::test]
async fn a_cold_guest_sees_every_path_of_the_array() {
    let Some(lab) = Lab::open().await else { return };
    let san = San::start(lab.work.path(), 2);
    let mut machine = Machine::cold(lab.config(san.sockets())).await.unwrap();
    assert!(machine.qemu_version().contains('.'));
    assert!(machine.memory_usage().unwrap() > 32 << 20);
    let disks = san.scan(&machine).await;
    assert_eq!(disks.len(), 2 * 2 * 2, "{disks:#?}");
    assert_eq!(disks[0].path.target.hba, "0000:00:10.0");
    assert_eq!((disks[0].vendor.as_str(), disks[0].sectors), ("IBM", 32 << 11));
    // Events arrive meanwhile: the kernel log reports the disks.
    let mut events = machine.events().unwrap();
    assert!(machine.events().is_none());
    let attached = async {
        while let Some(event) = events.recv().await {
            if matches!(event.what, Happening::Log { text, .. } if text.contains("Attached SCSI disk"))
            {
                return true;
            }
        }
        false
    };
    assert!(attached.await);
    // The base modules are loaded, the device handlers are not.
    let modules = lab::read(&machine, "/proc/modules").await;
    assert!(modules.contains("dm_multipath ") && modules.contains("dm_service_time "), "{modules}");
    assert!(!modules.contains("scsi_dh_"), "{modules}");
    let modules = vec!["scsi_dh_rdac".to_owned()];
    machine.agent().call(Call::LoadModules { modules }).await.unwrap();
    let argv = ["dmsetup", "version"].map(str::to_owned).to_vec();
    let ran = machine.agent().call(Call::Run { argv, timeout_ms: 60_000 }).await.unwrap();
    assert!(matches!(&ran, Answer::Ran(end) if end.ended == Ended::Code(0)), "{ran:?}");
    machine.kill().await;
}

#[tokio::test]
async fn a_template_is_made_once_and_restored_in_front_of_another_array() {
    let Some(lab) = Lab::open().await else { return };
    let templates = Templates::new(&lab.store);
    let shape = San::start(lab.work.path(), 1);
    if let Some(old) = templates.find(&lab.config(shape.sockets()), &Quiet).unwrap() {
        templates.discard(&old).unwrap();
    }
    for round in 0..3 {
        let san = San::start(lab.work.path(), 1);
        let config = lab.config(san.sockets());
        let said = Said::default();
        let others = || Ok::<_, LabError>(lab.throw_away(1));
        let (machine, template) = templates.start(config.clone(), others, &said).await.unwrap();
        assert_eq!(templates.find(&config, &Quiet).unwrap(), Some(template));
        assert_eq!(said.has("booting bookworm once"), round == 0, "{said:?}");
        let disks = san.scan(&machine).await;
        assert_eq!(disks.len(), 2 * 2, "round {round}: {disks:#?}");
        machine.kill().await;
    }
}

#[tokio::test]
async fn a_damaged_template_is_made_again() {
    let Some(lab) = Lab::open().await else { return };
    let templates = Templates::new(&lab.store);
    let config = lab.config(Vec::new());
    let start = async |said: &Said| {
        let others = || Ok::<_, LabError>((Vec::new(), ()));
        let (machine, _) = templates.start(config.clone(), others, said).await.unwrap();
        machine.agent().call(Call::Hello).await.unwrap();
        machine.kill().await;
    };
    start(&Said::default()).await;
    let template = templates.find(&config, &Quiet).unwrap().unwrap();
    for (file, keep) in [("state", 1000), ("ram", 4096)] {
        let path = template.path().join(file);
        fs::File::options().write(true).open(&path).unwrap().set_len(keep).unwrap();
        let said = Said::default();
        start(&said).await;
        assert!(said.has("booting bookworm once"), "{file}: {said:?}");
    }
    // Restoring it directly fails with advice for the user, and the template is removed.
    fs::write(template.path().join("state"), "nothing of the kind").unwrap();
    let error = Machine::restore(config.clone(), &template).await.unwrap_err();
    assert!(matches!(error, LabError::BadTemplate { .. }), "{error}");
    assert!(templates.find(&config, &Quiet).unwrap().is_none());
}

#[tokio::test]
async fn the_end_of_a_guest_has_its_reason() {
    let Some(lab) = Lab::open().await else { return };
    let machine = Machine::cold(lab.config(Vec::new())).await.unwrap();
    assert_eq!(machine.agent().call(Call::PowerOff).await.unwrap(), Answer::Done);
    assert_eq!(machine.exited().await, ExitReason::PowerOff);
    assert_eq!(machine.memory_usage(), None);

    let mut machine = Machine::cold(lab.config(Vec::new())).await.unwrap();
    let mut events = machine.events().unwrap();
    let crash = Call::WriteFile { path: "/proc/sysrq-trigger".into(), text: "c".into() };
    let error = machine.agent().call(crash).await.unwrap_err();
    let LabError::GuestGone { reason, console } = &error else { panic!("{error}") };
    assert_eq!(*reason, ExitReason::PanicOrReboot);
    assert!(console.contains("Kernel panic - not syncing: sysrq triggered crash"), "{console}");
    assert!(machine.failed().await.to_string().contains("Kernel panic"));
    while events.recv().await.is_some() {}
    let later = machine.agent().call(Call::Hello).await.unwrap_err();
    assert!(matches!(later, LabError::GuestGone { .. }), "{later}");

    let machine = Machine::cold(lab.config(Vec::new())).await.unwrap();
    let agent = machine.agent();
    drop(machine);
    let error = agent.call(Call::Hello).await.unwrap_err();
    let stopped = matches!(error, LabError::GuestGone { reason: ExitReason::Stopped, .. });
    assert!(stopped, "{error}");
}

#[tokio::test]
async fn a_backend_that_is_not_there_is_told_in_qemus_words() {
    let Some(lab) = Lab::open().await else { return };
    let path = lab.work.path().join("nobody.sock");
    let config = lab.config(vec![sansim_lab::HbaSocket { path, request_queues: 1 }]);
    let began = Machine::cold(config);
    let error = tokio::time::timeout(Duration::from_secs(60), began).await.unwrap().unwrap_err();
    assert!(matches!(error, LabError::Start { .. }), "{error}");
    assert!(error.to_string().contains("nobody.sock"), "{error}");
}
