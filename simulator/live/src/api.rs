//! What a lab says and what it can be asked: the types of the HTTP API, which `sansim ctl` and the
//! page share.

mod acts;
mod bodies;
mod refused;
mod status;
mod stream;
mod terminal;

pub use acts::{
    Candidate, Did, Expected, Given, IoChange, Ran, Saved, Terminal, TimeChange, TourChange,
};
pub use bodies::{
    Added, CaptureChange, CaptureFile, Done, Exec, Lost, MultipathText, Nothing, Now, Steps,
    WaitFor, Words,
};
pub use refused::{Refused, Why};
pub use status::{
    ArrayStatus, Broken, CaptureStatus, Clock, ControllerStatus, FaultStatus, GroupStatus,
    HbaStatus, HeldStatus, LabStatus, LinkStatus, LunStatus, MapStatus, PathStatus,
    PortGroupStatus, PortStatus, RunState, Status, Told, TourStatus, WorkloadStatus,
};
pub use stream::{Ended, Message, Past, PathTraffic, SanState, Tick};
pub use terminal::{FromTerminal, Run, Screen, ToTerminal};
