//! The pipeline as a picture in text.

use rrss_core::Data;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use crate::origin::{From, Origin};
use crate::plan::{Plan, Planned, PlannedStep};
use crate::suggest::{clean, clean_path, count};

/// The picture is at most this wide, in columns of a terminal.
const WIDEST: usize = 100;
const NARROWEST: usize = 64;

/// Two walls, and a space within each.
const FRAME: usize = 6;

pub(crate) fn picture(plan: &Plan) -> String {
    let boxes: Vec<Card> = plan.steps().map(Card::new).collect();
    let needed = boxes.iter().map(Card::width).max().unwrap_or_default() + FRAME;
    let width = needed.clamp(NARROWEST, WIDEST);
    let name = match &plan.settings.name {
        Some(name) => format!("store \"{}\", ", clean(name, 12)),
        None => String::new(),
    };
    let file = clean_path(plan.source.name(), WIDEST - 30);
    let mut lines = vec![
        format!("{file}: {name}{}", count(boxes.len(), "step")),
        String::new(),
    ];
    lines.push(between("session", "answer ▲", width));
    for (at, each) in boxes.iter().enumerate() {
        let is_last = at + 1 == boxes.len();
        each.draw(width, is_last, &mut lines);
        if !is_last {
            let below = flows(&plan.steps[..=at]);
            lines.push(between(&below.to_string(), "│", width));
        }
    }
    lines.push(String::new());
    lines.push("A write passes the steps from top to bottom.".to_owned());
    lines.push("The answer passes the same steps backwards.".to_owned());
    lines.join("\n")
}

/// In which form a session leaves these steps.
fn flows(steps: &[Planned]) -> Data {
    let gives = steps
        .iter()
        .rev()
        .find_map(|step| step.configured.shape().gives());
    gives.unwrap_or(Data::Session)
}

/// The way down on the left, and the way back up on the right.
fn between(down: &str, up: &str, width: usize) -> String {
    let (left, right) = (format!("   │ {down}"), format!("{up}   "));
    let gap = width.saturating_sub(left.width() + right.width());
    format!("{left}{}{}", " ".repeat(gap), right.trim_end())
}

/// A step as it is drawn.
struct Card {
    name: String,
    shape: String,
    /// What an option is, and what is to be said of it.
    rows: Vec<(String, String)>,
}

impl Card {
    fn new(step: PlannedStep<'_>) -> Self {
        let options = step.options();
        let options: Vec<_> = options.as_object().into_iter().flatten().collect();
        let set = options.into_iter().filter(|(_, value)| !value.is_null());
        let set: Vec<_> = set.collect();
        let longest = set
            .iter()
            .map(|(name, _)| name.width())
            .max()
            .unwrap_or_default();
        let rows = set.into_iter().map(|(name, value)| {
            let gap = " ".repeat(longest - name.width());
            let is_given = step
                .planned()
                .place
                .given
                .iter()
                .any(|(given, _)| given == name);
            (
                format!("{name}{gap} = {}", clean(&text_of(value), 2_000)),
                remark(name, is_given, &step.planned().place.origins),
            )
        });
        Self {
            name: step.name().to_owned(),
            shape: step.shape().to_string(),
            rows: rows.collect(),
        }
    }

    fn width(&self) -> usize {
        let head = self.name.width() + self.shape.width() + 8;
        let rows = self.rows.iter().map(|(row, remark)| match remark.as_str() {
            "" => row.width(),
            _ => row.width() + 2 + remark.width(),
        });
        rows.chain([head]).max().unwrap_or_default()
    }

    fn draw(&self, width: usize, is_last: bool, lines: &mut Vec<String>) {
        let (left, right) = (
            format!("╭──▼─ {} ", self.name),
            format!(" {} ─┴──╮", self.shape),
        );
        let rule = width.saturating_sub(left.width() + right.width());
        lines.push(format!("{left}{}{right}", "─".repeat(rule)));
        let inner = width - FRAME;
        let mut line = |text: &str| {
            let gap = inner.saturating_sub(text.width());
            lines.push(format!("│  {text}{}  │", " ".repeat(gap)));
        };
        for (row, remark) in &self.rows {
            let on_one_line = row.width() + 2 + remark.width() <= inner;
            match remark.as_str() {
                "" => wrap(row, inner).iter().for_each(|part| line(part)),
                _ if on_one_line => {
                    let gap = inner - row.width() - remark.width();
                    line(&format!("{row}{}{remark}", " ".repeat(gap)));
                }
                _ => {
                    wrap(row, inner).iter().for_each(|part| line(part));
                    let remarks = wrap(remark, inner);
                    for part in remarks {
                        line(&format!(
                            "{}{part}",
                            " ".repeat(inner.saturating_sub(part.width()))
                        ));
                    }
                }
            }
        }
        lines.push(if is_last {
            format!("╰{}╯", "─".repeat(width - 2))
        } else {
            format!("╰──┬{}▲──╯", "─".repeat(width - 8))
        });
    }
}

/// What is to be said of an option besides its value.
fn remark(name: &str, is_given: bool, origins: &[Origin]) -> String {
    let within = |path: &str| {
        path.strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let mut remarks = Vec::new();
    for origin in origins.iter().filter(|origin| within(&origin.path)) {
        let of = if origin.path == name {
            String::new()
        } else {
            format!("{} ", origin.path)
        };
        remarks.push(match &origin.from {
            From::Variable(variable) => format!("{of}from ${variable}"),
            From::Default(variable) => format!("{of}default; ${variable} is not set"),
            From::File(path) => format!("{of}from the file {path}"),
        });
    }
    match remarks[..] {
        [] if is_given => String::new(),
        [] => "(default)".to_owned(),
        _ => clean(&format!("({})", remarks.join("; ")), 400),
    }
}

/// A value as a file would write it.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) if text == "[redacted]" => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(text_of).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Object(entries) => {
            let entries = entries.iter().filter(|(_, value)| !value.is_null());
            let entries: Vec<String> = entries
                .map(|(key, value)| format!("{key} = {}", text_of(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

/// A text in parts of at most so many columns.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut used = 0;
    for char in text.chars() {
        let mut buffer = [0; 4];
        let columns = char.encode_utf8(&mut buffer).width();
        if used + columns > width {
            parts.push("    ".to_owned());
            used = 4;
        }
        used += columns;
        if let Some(part) = parts.last_mut() {
            part.push(char);
        }
    }
    parts
}
