//! A report as a person reads it, in the shape that compilers have made familiar.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::report::Problem;
use crate::source::{Source, Span};
use crate::suggest::{clean, count};

/// As wide as explanations are; the lines of a file are cut to it, around what is underlined.
const WIDTH: usize = 100;

/// A terminal holds no more at a time. The last line says how many there are.
const SHOWN: usize = 100;

pub(crate) fn report(source: &Source, problems: &[Problem], found: usize, colour: bool) -> String {
    let renderer = if colour {
        Renderer::styled().hyperlink(false)
    } else {
        Renderer::plain()
    };
    let renderer = renderer.term_width(WIDTH);
    let name = clean(source.name(), 1_000);
    let mut blocks: Vec<String> = problems
        .iter()
        .take(SHOWN)
        .map(|each| {
            let shown = renderer.render(&[group(source, &name, each)]);
            match each.span() {
                Some(_) => shown,
                // Without a line there is no margin; with one of a column it looks like the others.
                None => shown.replace('\n', "\n "),
            }
        })
        .collect();
    blocks.push(closing(&name, problems, found));
    blocks.join("\n\n")
}

fn group<'a>(source: &'a Source, name: &'a str, problem: &'a Problem) -> Group<'a> {
    let level = if problem.is_warning() {
        Level::WARNING
    } else {
        Level::ERROR
    };
    let mut group = Group::with_title(level.primary_title(problem.message()));
    group = match problem.span() {
        Some(span) => group.element(snippet(source, name, span, problem.other())),
        None => group.element(Origin::path(name)),
    };
    let notes = problem.notes().iter().map(|note| Level::NOTE.message(note));
    let hint = problem.hint().map(|hint| Level::HELP.message(hint));
    group.elements(notes).elements(hint)
}

fn snippet<'a>(
    source: &'a Source,
    name: &'a str,
    span: &Span,
    other: Option<&Span>,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let span = source.on_one_line(span);
    let other = other.map(|other| source.on_one_line(other));
    let both: Vec<Span> = [Some(span.clone()), other.clone()]
        .into_iter()
        .flatten()
        .collect();
    let (lines, first, start) = source.window(&both);
    let within = |span: Span| span.start - start..span.end - start;
    Snippet::source(lines)
        .path(name)
        .line_start(first)
        .annotation(AnnotationKind::Primary.span(within(span)))
        .annotations(other.map(|other| AnnotationKind::Context.span(within(other))))
}

fn closing(name: &str, problems: &[Problem], found: usize) -> String {
    if problems.iter().all(Problem::is_warning) {
        return format!("{name}: {}", count(found, "warning"));
    }
    let all = count(found, "problem");
    if found > SHOWN {
        format!("{name}: {all}, of which the first {SHOWN} are shown; nothing was started")
    } else {
        format!("{name}: {all}; nothing was started")
    }
}
