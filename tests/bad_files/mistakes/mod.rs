//! Each key of a collector file wrong once: which text, what stands in place of what, where the problem must be, its words.

mod keys;
mod portals;
mod probe;
mod rows;
mod slot;
mod source;
mod types;

pub use keys::KEYS;
pub use portals::PORTALS;
pub use probe::PROBE;
pub use rows::ROWS;
pub use slot::SLOT;
pub use source::SOURCE;
pub use types::TYPES;

/// A mistake: the text it is made in, the words taken out and put in, the place of the one problem as the line
/// with what begins there, and words of its message.
pub struct Mistake {
    pub text: &'static str,
    pub old: &'static str,
    pub new: &'static str,
    pub line: usize,
    pub at: &'static str,
    pub words: &'static str,
}

/// One line of the tables.
const fn wrong(text: &'static str, old: &'static str, new: &'static str, line: usize, at: &'static str, words: &'static str) -> Mistake {
    Mistake { text, old, new, line, at, words }
}
