//! Figures as pictures: a bar for each contender, a panel for each group, groups of one kind in one SVG file.

use std::fs;
use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{IntoSegmentedCoord as _, SegmentValue};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::peer::Result;
use crate::report::{Group, Report, Row};
use crate::table;

const PANEL: u32 = 720;
const BAR: u32 = 24;
/// The height of a panel besides its bars.
const REST: u32 = 80;
const FOOT: u32 = 50;

const OURS: RGBColor = RGBColor(36, 113, 163);
const LIMITS: RGBColor = RGBColor(150, 150, 150);
const THEIRS: RGBColor = RGBColor(211, 132, 53);

/// Draws the report into `folder`, a file for each picture that its groups name.
pub fn draw(report: &Report, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let mut names: Vec<&str> = Vec::new();
    for name in report
        .groups
        .iter()
        .filter_map(|group| group.picture.as_deref())
    {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for name in names {
        let groups = report.groups.iter();
        let groups: Vec<&Group> = groups
            .filter(|group| group.picture.as_deref() == Some(name))
            .collect();
        picture(report, &groups, &folder.join(format!("{name}.svg")))?;
    }
    Ok(())
}

fn picture(report: &Report, groups: &[&Group], file: &Path) -> Result<()> {
    let columns = if groups.len() > 4 { 3 } else { 1 };
    let lines = groups.len().div_ceil(columns);
    let bars = groups.iter().map(|group| group.rows.len()).max();
    let panel = REST + BAR * bars.unwrap_or(0) as u32;
    let size = (PANEL * columns as u32, panel * lines as u32 + FOOT);
    let root = SVGBackend::new(file, size).into_drawing_area();
    root.fill(&WHITE)?;
    for (at, group) in groups.iter().enumerate() {
        let corner = (PANEL * (at / lines) as u32, panel * (at % lines) as u32);
        self::panel(group, &root.clone().shrink(corner, (PANEL, panel)))?;
    }
    let Report {
        machine,
        date,
        command,
        quick,
        ..
    } = report;
    let rough = if *quick { "; a quick run, rough" } else { "" };
    let foot = [format!("{machine}; {date}{rough}"), command.clone()];
    for (line, text) in foot.into_iter().enumerate() {
        let at = (12, (size.1 - FOOT + 8 + 18 * line as u32) as i32);
        root.draw(&Text::new(text, at, ("sans-serif", 12).into_font()))?;
    }
    root.present()?;
    Ok(())
}

fn panel(group: &Group, area: &DrawingArea<SVGBackend<'_>, Shift>) -> Result<()> {
    let count = group.rows.len();
    let figure = |row: &Row| row.figure(group.compare);
    let most = group.rows.iter().map(figure).fold(0.0, f64::max);
    // Room for the number beside the longest bar.
    let places = (0..count.saturating_sub(1)).into_segmented();
    let mut chart = ChartBuilder::on(area)
        .caption(&group.title, ("sans-serif", 14))
        .margin(12)
        .x_label_area_size(30)
        .y_label_area_size(250)
        .build_cartesian_2d(0.0..most * 1.15, places)?;
    let name = |place: &SegmentValue<usize>| match place {
        SegmentValue::CenterOf(place) if *place < count => {
            group.rows[count - 1 - place].name.to_owned()
        }
        _ => String::new(),
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .light_line_style(WHITE)
        .y_labels(count)
        .y_label_formatter(&name)
        .x_labels(6)
        .x_label_formatter(&|value| table::figure(*value, group.compare))
        .label_style(("sans-serif", 12))
        .draw()?;
    for (at, row) in group.rows.iter().enumerate() {
        let (place, value) = (count - 1 - at, figure(row));
        if value.is_nan() {
            continue;
        }
        let from = SegmentValue::Exact(place);
        let to = if at == 0 {
            SegmentValue::Last
        } else {
            SegmentValue::Exact(place + 1)
        };
        let mut bar = Rectangle::new([(0.0, from), (value, to)], colour(row.name).filled());
        bar.set_margin(3, 3, 0, 0);
        chart.draw_series([bar])?;
        let label = table::figure(value, group.compare);
        let beside = (value + most * 0.01, SegmentValue::CenterOf(place));
        let style = ("sans-serif", 12).into_font().into_text_style(area);
        let style = style.pos(Pos::new(HPos::Left, VPos::Center));
        chart.draw_series([Text::new(label, beside, style)])?;
    }
    Ok(())
}

fn colour(name: &str) -> RGBColor {
    if name.starts_with("raw ") {
        LIMITS
    } else if name.starts_with("rrss") || name.ends_with(" stored") {
        OURS
    } else {
        THEIRS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;
    use crate::report::Compare;

    #[test]
    fn a_picture_has_all_names_and_tells_where_it_is_from() {
        let rows = vec![
            Row::of_memory("rrss", 400.0),
            Row::of_memory("theirs", 1_000.0),
        ];
        let group = Group::new("Memory".to_owned(), Compare::Memory, "theirs", rows);
        let report = Report {
            machine: Machine::this(),
            date: "2026-11-23T00:00:00Z".to_owned(),
            command: "bench".to_owned(),
            quick: false,
            groups: vec![group.in_picture("memory")],
            promises: Vec::new(),
        };
        let folder = tempfile::tempdir().unwrap();
        draw(&report, folder.path()).unwrap();
        let svg = fs::read_to_string(folder.path().join("memory.svg")).unwrap();
        for text in [
            "rrss",
            "theirs",
            "1,000 B",
            "Memory",
            "2026-11-23T00:00:00Z",
        ] {
            assert!(svg.contains(text), "{text}");
        }
    }
}
