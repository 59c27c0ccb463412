//! Recorded questions and answers, which can be asked again without the guest.
//!
//! A guest that stands still can be saved, and so can its story: every input of the lab came with a
//! question. A fresh lab that is asked the same questions from the beginning reaches the same state,
//! quickly and without a guest. Then the saved guest continues. The lab compares every answer with the
//! recorded one. If they differ, it is not the same story, and the error says where they differ.

use std::collections::VecDeque;

use sansim_protocol::hypercall::Ask;
use serde::{Deserialize, Serialize};

/// What each device served, in the devices' order.
pub(crate) type Served = Vec<Vec<u8>>;

/// Largest recording in bytes: text, served requests and answers.
const MOST: usize = 1 << 30;

/// Questions with their answers, oldest first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Recording {
    questions: VecDeque<Question>,
    bytes: usize,
    /// A request could not be recorded, or the recording grew beyond [`MOST`].
    spoiled: bool,
}

/// A question, with the lab's reaction to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Question {
    ask: Ask,
    text: Vec<u8>,
    /// One entry for each time that the devices were served while the question was open.
    served: VecDeque<Served>,
    answer: Option<AnswerRecord>,
}

/// The answer to a question, without the interrupts: those depend on the guest's memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AnswerRecord {
    pub(crate) wake_ns: Option<u64>,
    pub(crate) text: Vec<u8>,
}

impl Recording {
    /// Starts a recording at an open question, whose text was read before.
    pub(crate) fn from(ask: Ask) -> Recording {
        let mut recording = Recording::default();
        recording.asked(ask, Vec::new());
        recording
    }

    pub(crate) fn asked(&mut self, ask: Ask, text: Vec<u8>) {
        if self.has_room_for(text.len() + size_of::<Question>()) {
            let question = Question { ask, text, served: VecDeque::new(), answer: None };
            self.questions.push_back(question);
        }
    }

    /// Adds what the devices served; `None` if a device could not record it.
    pub(crate) fn served(&mut self, served: Option<Served>) {
        let Some(served) = served else { return self.spoil() };
        if self.has_room_for(served.iter().map(|served| served.len() + size_of_val(served)).sum())
            && let Some(question) = self.questions.back_mut()
        {
            question.served.push_back(served);
        }
    }

    pub(crate) fn answered(&mut self, answer: AnswerRecord) {
        if self.has_room_for(answer.text.len())
            && let Some(question) = self.questions.back_mut()
        {
            question.answer = Some(answer);
        }
    }

    /// Counts bytes towards [`MOST`]. Returns whether there is room.
    fn has_room_for(&mut self, bytes: usize) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > MOST {
            self.spoil();
        }
        !self.spoiled
    }

    fn spoil(&mut self) {
        self.spoiled = true;
        self.questions = VecDeque::new();
    }

    /// Whether the recording is complete: nothing was lost, and the last question is answered.
    pub(crate) fn is_whole(&self) -> bool {
        !self.spoiled && self.questions.back().is_some_and(|question| question.answer.is_some())
    }

    pub(crate) fn len(&self) -> usize {
        self.questions.len()
    }
}

/// A recording that is being asked again.
#[derive(Debug)]
pub(crate) struct Retelling {
    left: VecDeque<Question>,
}

impl Retelling {
    pub(crate) fn new(recording: Recording) -> Retelling {
        Retelling { left: recording.questions }
    }

    /// The open question; `None` when all have been answered.
    pub(crate) fn question(&self) -> Option<(Ask, &[u8])> {
        self.left.front().map(|question| (question.ask, question.text.as_slice()))
    }

    /// What the devices served next while this question was open; empty if nothing.
    pub(crate) fn serve(&mut self) -> Served {
        self.left.front_mut().and_then(|question| question.served.pop_front()).unwrap_or_default()
    }

    /// Compares an answer with the recorded one.
    ///
    /// # Errors
    /// A description of the difference.
    pub(crate) fn answer(&mut self, answer: &AnswerRecord) -> Result<(), String> {
        let Some(question) = self.left.pop_front() else { return Ok(()) };
        if question.answer.as_ref() == Some(answer) && question.served.is_empty() {
            return Ok(());
        }
        let Some(was) = question.answer else { return Ok(()) };
        let text = |answer: &AnswerRecord| String::from_utf8_lossy(&answer.text).trim().to_owned();
        let seconds = |answer: &AnswerRecord| match answer.wake_ns {
            Some(ns) => format!("at {} s", ns as f64 / 1e9),
            None => "never".to_owned(),
        };
        Err(match text(&was) == text(answer) {
            true if was == *answer => "requests came that nobody has waited for".to_owned(),
            true => format!(
                "the guest is to ask again {}, not {}: what comes next has to be the same at the moment, so \
                 that an earlier one is needed",
                seconds(answer),
                seconds(&was)
            ),
            false => format!("the agent is told `{}`, not `{}`", text(answer), text(&was)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> AnswerRecord {
        AnswerRecord { wake_ns: Some(5), text: text.into() }
    }

    fn recording() -> Recording {
        let mut recording = Recording::from(Ask { round: 3, ..Ask::default() });
        recording.served(Some(vec![vec![1], vec![]]));
        recording.answered(answer("one"));
        recording.asked(Ask { round: 4, ..Ask::default() }, b"said".to_vec());
        recording
    }

    #[test]
    fn what_was_written_down_is_asked_again_and_answers_are_compared() {
        let mut recording = recording();
        assert!(!recording.is_whole(), "a question is open");
        recording.answered(answer("two"));
        assert!(recording.is_whole());
        let mut again = Retelling::new(recording);
        assert_eq!(again.question().map(|(ask, text)| (ask.round, text)), Some((3, &b""[..])));
        assert_eq!(again.serve(), vec![vec![1], vec![]]);
        assert_eq!(again.serve(), Served::new());
        assert_eq!(again.answer(&answer("one")), Ok(()));
        assert_eq!(again.question().map(|(ask, text)| (ask.round, text)), Some((4, &b"said"[..])));
        let why = again.answer(&answer("three")).unwrap_err();
        assert!(why.contains("three") && why.contains("two"), "{why}");
        assert!(again.question().is_none());
    }

    #[test]
    fn requests_that_are_left_over_are_another_story() {
        let mut recording = recording();
        recording.answered(answer("two"));
        let mut again = Retelling::new(recording);
        assert!(again.answer(&answer("one")).unwrap_err().contains("requests"));
    }

    #[test]
    fn what_cannot_be_written_down_spoils_it() {
        let mut recording = recording();
        recording.served(None);
        recording.answered(answer("two"));
        assert!(!recording.is_whole());
    }

    #[test]
    fn too_much_spoils_it_and_is_not_kept() {
        let mut recording = recording();
        recording.bytes = MOST - 10;
        recording.answered(answer("two"));
        assert!(recording.is_whole());
        recording.asked(Ask::default(), b"a word more".to_vec());
        recording.answered(answer("three"));
        assert!(!recording.is_whole());
        assert_eq!(recording.len(), 0);
    }
}
