//! What a dictionary saves, for people and for programs.

use std::path::Path;

use indicatif::HumanCount;
use rrss_compression::{Dictionary, Measured, Sample};
use serde_json::{Value, json};

use super::levels::Levels;

/// The longest bar.
const BAR: usize = 30;

/// What was trained, and what it does to the sessions that were held out.
pub(super) struct Report<'a> {
    pub(super) file: &'a Path,
    pub(super) dictionary: &'a Dictionary,
    pub(super) sample: &'a Sample,
    /// How many sessions could not be used.
    pub(super) left_out: usize,
    pub(super) level: i32,
    /// What is stored with the new dictionary at several levels.
    pub(super) levels: &'a Levels,
    pub(super) min_bytes: usize,
    /// The sessions as they are.
    pub(super) plain_bytes: usize,
    /// What is stored of them, one way and another; the new dictionary is the last.
    pub(super) rows: &'a [Row],
}

/// What is stored of the sessions one way.
pub(super) struct Row {
    /// For programs.
    pub(super) key: &'static str,
    /// For people.
    pub(super) label: String,
    pub(super) measured: Measured,
}

impl Report<'_> {
    pub(super) fn text(&self) -> String {
        let Self {
            dictionary, sample, ..
        } = self;
        let mut text = format!(
            "{}: a dictionary of {} bytes with the id {}, trained on {} sessions of {} bytes on average\n",
            self.file.display(),
            count(dictionary.as_bytes().len()),
            dictionary.id(),
            count(sample.training()),
            count(mean(sample.training_bytes(), sample.training())),
        );
        if self.left_out > 0 {
            text += &format!(
                "{} sessions were left out: they could not be read, or would not be stored again\n",
                count(self.left_out)
            );
        }
        text += &format!(
            "Bytes stored of each of {} others on average, at level {} with min_bytes = {}:\n\n",
            count(sample.held_out()),
            self.level,
            self.min_bytes
        );
        text += &self.chart();
        text += &match self.larger() {
            0 => "\nNone of them is stored in more bytes than it has.\n".to_owned(),
            larger => format!(
                "\n{} of them are stored in more bytes than they have.\n",
                count(larger)
            ),
        };
        text += &self.by_level();
        if let [.., now, new] = self.rows
            && now.key == "current"
            && now.measured.stored_bytes <= new.measured.stored_bytes
        {
            text += "The dictionary that is in use does as well on these sessions: there is no need to change it.\n";
        }
        text
    }

    /// Which level to take.
    fn by_level(&self) -> String {
        let stored: Vec<String> = self
            .levels
            .iter()
            .map(|(level, measured)| {
                let mean = mean(measured.stored_bytes, self.sample.held_out());
                format!("{} at level {level}", count(mean))
            })
            .collect();
        format!(
            "With it, bytes by level: {}. Take level {}.\n",
            stored.join(", "),
            self.levels.better_than(self.level).unwrap_or(self.level)
        )
    }

    fn larger(&self) -> usize {
        self.rows.last().map_or(0, |row| row.measured.larger)
    }

    fn chart(&self) -> String {
        let plain = ("plain", self.plain_bytes);
        let rows = self
            .rows
            .iter()
            .map(|row| (&*row.label, row.measured.stored_bytes));
        let bars: Vec<[String; 4]> = std::iter::once(plain)
            .chain(rows)
            .map(|(label, bytes)| {
                let share = bytes as f64 / self.plain_bytes.max(1) as f64;
                [
                    format!("  {label}"),
                    format!(
                        "{:>7}",
                        count(mean(bytes, self.sample.held_out())).to_string()
                    ),
                    format!("{:>4.0} %", share * 100.0),
                    "█".repeat(((share * BAR as f64).round() as usize).max(1)),
                ]
            })
            .collect();
        crate::output::table(&bars, None)
    }

    pub(super) fn json(&self, configured: &[String]) -> Value {
        let held_out = self.sample.held_out();
        let mean = |bytes: usize| hundredths(bytes as f64 / held_out.max(1) as f64);
        let mut stored =
            json!({ "plain": { "bytes": self.plain_bytes, "mean": mean(self.plain_bytes) } });
        for Row { key, measured, .. } in self.rows {
            stored[key] = json!({
                "bytes": measured.stored_bytes,
                "mean": hundredths(measured.mean()),
                "ratio": (measured.ratio() * 10_000.0).round() / 10_000.0,
                "larger": measured.larger,
            });
        }
        let levels: Value = self
            .levels
            .iter()
            .map(|(level, measured)| (level.to_string(), json!(hundredths(measured.mean()))))
            .collect::<serde_json::Map<_, _>>()
            .into();
        json!({
            "file": self.file.display().to_string(),
            "id": self.dictionary.id(),
            "bytes": self.dictionary.as_bytes().len(),
            "trained_on": self.sample.training(),
            "held_out": held_out,
            "left_out": self.left_out,
            "level": self.level,
            "levels": levels,
            "best_level": self.levels.better_than(self.level).unwrap_or(self.level),
            "min_bytes": self.min_bytes,
            "stored": stored,
            "dictionary": configured,
        })
    }
}

/// The bytes of one, rounded.
fn mean(bytes: usize, sessions: usize) -> usize {
    let sessions = sessions.max(1);
    (bytes + sessions / 2) / sessions
}

/// Two decimals are as much as a sample tells.
fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

fn count(number: usize) -> HumanCount {
    HumanCount(number as u64)
}
