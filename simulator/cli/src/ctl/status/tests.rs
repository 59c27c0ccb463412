use serde_json::json;

use super::*;

#[test]
fn the_state_is_a_tree() {
    console::set_colors_enabled(false);
    let status = json!({
        "lab": {
            "name": "demo", "title": "rdac: a controller is lost", "family": "rdac",
            "identity": "IBM 1814", "image": "bookworm", "kernel": "6.1.0", "handler": "rdac",
            "manager": "multipathd", "seed": 7, "accelerator": "tcg", "version": "0.1.0",
            "directory": "/run",
        },
        "clock": { "t": 12.5, "mode": "real", "state": "running" },
        "hbas": [{ "hba": 0, "name": "hba0" }],
        "links": [
            { "path": "hba0:A0", "hba": 0, "port": "A0", "up": false },
            { "path": "hba0:B0", "hba": 0, "port": "B0", "up": true },
        ],
        "controllers": [
            { "controller": "A", "state": "failed", "since": 10.0,
              "ports": [{ "port": "A0", "present": true, "up": true }] },
            { "controller": "B", "state": "online", "since": 0.0,
              "ports": [{ "port": "B0", "present": true, "up": true }] },
        ],
        "luns": [{
            "lun": 0, "owner": "B", "preferred": "A", "bytes": 268435456, "read_only": false,
            "split": null, "condition": null, "port_groups": [],
            "map": { "name": "lun0", "rounds": 2, "groups": [
                { "group": 1, "state": "E", "paths": [
                    { "path": "hba0:A0", "dev": "8:0", "disk": "sda", "state": "F", "fails": 1 },
                ] },
                { "group": 2, "state": "A", "paths": [
                    { "path": "hba0:B0", "dev": "8:16", "disk": "sdb", "state": "A", "fails": 0 },
                ] },
            ] },
        }],
        "faults": [{
            "name": "busy", "toml": "when = {…}", "armed": true, "fired": 2, "since": 0.0,
            "added": true,
        }],
        "broken": [{
            "thing": "controller A", "what": "controller A is failed", "since": 10.0,
            "undo": { "ctl": "sansim ctl restore controller A", "toml": "" },
        }],
        "workloads": [{
            "lun": 0, "running": true, "toml": "", "reads": 10, "writes": 20, "errors": 0,
            "corrupt": 0, "stalled_since": null,
        }],
        "held": { "on": false, "acts": [] },
        "history": [], "tour": null, "capture": null,
    });
    let status: Status = serde_json::from_value(status).unwrap();
    assert_eq!(
        text(&status),
        "\
demo  rdac: a controller is lost
IBM 1814, kernel 6.1.0 (bookworm), handler rdac, multipathd, tcg, seed 7
12.500s  running  real time
array, rdac
├─ controller A  failed since 10.000s
│  └─ port A0  up  links: hba0 down
└─ controller B  online
   └─ port B0  up  links: hba0 up
lun 0  256 MiB  owner B (preferred A)
├─ map lun0  pg_init rounds: 2
│  ├─ group 1  enabled
│  │  └─ hba0:A0  sda 8:0  failed  fails: 1
│  └─ group 2  current
│     └─ hba0:B0  sdb 8:16  active
└─ I/O running: 10 reads, 20 writes, 0 errors, 0 corrupt
faults
  busy  armed, fired 2, added  when = {…}
broken
  controller A is failed  since 10.000s  undo: sansim ctl restore controller A
"
    );
}
