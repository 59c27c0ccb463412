//! A log of a failover: when things happened ([`time`]), what happened ([`lines`], [`words`]), and the story that
//! would make it happen again ([`story`]).

pub(crate) mod lines;
pub(crate) mod story;
mod time;
mod words;
