//! Rows that are the records of another monitor: how something watched was, and when.

use serde::Deserialize;
use toml::Spanned;

use crate::collect::number::InstantFormat;
use crate::model::{SlotState, Span, clean};

/// How the rows say what a target's state was from an instant on. The target's name is the rows' `item`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotRows {
    /// Where the instant stands.
    pub at: Spanned<String>,
    /// How it is written. Default rfc3339.
    #[serde(default)]
    pub format: InstantFormat,
    /// Where the state stands.
    pub state: Spanned<String>,
    /// The monitor's words for each state.
    pub states: Spanned<States>,
    /// Texts by which a record says nothing of the state, beside null.
    #[serde(default)]
    pub missing: Vec<String>,
    /// When the whole monitor wrote nothing for longer, nobody watched.
    pub silence: Span,
    /// Where it stands how many milliseconds the answer took.
    #[serde(default)]
    pub latency_ms: Option<Spanned<String>>,
}

/// A monitor's words for each state. Its own word for maintenance stands under `down`, or under `missing`: whether it was
/// announced in time only the register of notices says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct States {
    /// It answered as it should.
    pub up: Vec<String>,
    /// It answered slowly.
    #[serde(default)]
    pub degraded: Vec<String>,
    /// It did not.
    pub down: Vec<String>,
}

impl SlotRows {
    /// The state that a cleaned word stands for, `Unknown` for one of `missing`; `None` if it is listed nowhere.
    pub fn state_of(&self, word: &str) -> Option<SlotState> {
        let lists = |texts: &[String]| texts.iter().any(|text| clean(text) == word);
        let States { up, degraded, down } = self.states.get_ref();
        let lists_of = [(up, SlotState::Up), (degraded, SlotState::Degraded), (down, SlotState::Down), (&self.missing, SlotState::Unknown)];
        lists_of.into_iter().find(|(texts, _)| lists(texts)).map(|(_, state)| state)
    }

    /// What is wrong with its lists, and the fix.
    pub fn fault(&self) -> Option<(String, String)> {
        let States { up, degraded, down } = self.states.get_ref();
        if up.is_empty() || down.is_empty() {
            let fix = "list the monitor's words, like states = { up = [\"up\"], down = [\"down\"] }";
            return Some(("no word means up, or none means down".to_owned(), fix.to_owned()));
        }
        let words: Vec<String> = [up, degraded, down, &self.missing].into_iter().flatten().map(|text| clean(text)).collect();
        let twice = words.iter().enumerate().find(|(no, word)| words[..*no].contains(word));
        twice.map(|(_, word)| (format!("{word:?} is listed twice"), "let each word mean one state, or stand under missing".to_owned()))
    }
}
