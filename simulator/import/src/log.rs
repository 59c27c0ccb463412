//! A log of a failover: when things happened ([`time`]) in which lines ([`wrapped`]), what happened ([`lines`], [`words`]), and the story that
//! would make it happen again ([`story`]).

pub(crate) mod lines;
pub(crate) mod story;
mod time;
mod words;
mod wrapped;
