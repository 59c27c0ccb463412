//! Errors in requests and rings from the guest.

/// What is wrong with a descriptor chain, a request or a ring. The guest is not trusted, so each of
/// these can happen at any time. The only consequence is that the guest's command fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("a descriptor chain loops, breaks off or leaves its table")]
    BrokenChain,
    #[error("a descriptor chain is longer than any virtqueue")]
    LongChain,
    #[error("a descriptor chain has a device-readable part behind a device-writable one")]
    MixedChain,
    #[error("a buffer is not in the guest's memory")]
    BadAddress,
    #[error("a request is shorter than its header")]
    ShortRequest,
    #[error("there is no room for a request's answer")]
    ShortResponse,
    #[error("a command transfers data both ways, which was not negotiated")]
    Bidirectional,
    #[error("a control request is of no known type")]
    UnknownControl,
    #[error("more commands are outstanding than the virtqueue has descriptors")]
    TooManyCommands,
    #[error("an event buffer is shorter than an event, or not writable")]
    BadEventBuffer,
    #[error("a virtqueue's rings are not in the guest's memory, or its indices run away")]
    BadRing,
}
