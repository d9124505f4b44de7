//! Loads, saves and finds of stores of different sizes, in turns.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rrss::{SessionInfo, Store};
use tokio::runtime::Runtime;

use super::full::{Full, INDEXED};
use crate::measure::{self, Contender, Schedule};
use crate::peer::{Doing, Peer, Result, Sample, Team};
use crate::report::{Compare, Group, Row, Times};

const FULL: Schedule = Schedule::new(9, Duration::from_millis(300));
const QUICK: Schedule = Schedule::new(3, Duration::from_millis(80));

const TASKS: usize = 64;

pub fn run(title: &str, stores: &[Full], runtime: &Rc<Runtime>, quick: bool) -> Result<Vec<Group>> {
    let schedule = if quick { QUICK } else { FULL };
    let mut groups = Vec::new();
    for doing in Doing::LOAD_AND_SAVE {
        let mut contenders = Vec::new();
        for each in stores {
            let team = Team::new(runtime, &each.peer, &each.ids, doing, TASKS)?;
            contenders.push(Contender::new(each.name, team));
        }
        let title = format!("{title}, {}, {TASKS} at once", doing.name());
        groups.push(compare(title, contenders, schedule));
    }
    let mut contenders = Vec::new();
    for each in stores {
        let finding = Arc::new(Finding(each.peer.0.clone()));
        let team = Team::new(runtime, &finding, &each.users, Doing::Load, TASKS)?;
        contenders.push(Contender::new(each.name, team));
    }
    let title = format!("{title}, find the sessions of a user, {TASKS} at once");
    groups.push(compare(title, contenders, schedule));
    Ok(groups)
}

/// The first contender, of the fewest sessions, is what the others are held against.
pub fn compare(title: String, mut contenders: Vec<Contender<'_>>, schedule: Schedule) -> Group {
    let samples = measure::in_turns(&title, &mut contenders, schedule);
    let rows: Vec<Row> = contenders
        .iter()
        .zip(&samples)
        .map(|(each, samples)| Row::timed(each.name, Times::of_many(samples)))
        .collect();
    let smallest = rows.first().map_or("", |row| row.name);
    Group::new(title, Compare::Time, smallest, rows)
}

/// A store whose sessions are looked up by their user.
struct Finding(Store);

impl Peer for Finding {
    type Id = u64;
    type Session = Vec<SessionInfo>;

    async fn create(&self, _: &Sample) -> Result<u64> {
        Err(ONLY.into())
    }

    async fn load(&self, user: &u64) -> Result<(Vec<SessionInfo>, Option<u64>)> {
        let found = self.0.find(INDEXED, user, None, 10).await?.sessions;
        let first = found.first().ok_or("the user has no session")?;
        let user = first.get(INDEXED)?;
        Ok((found, user))
    }

    async fn save(&self, _: &u64, _: &mut Vec<SessionInfo>, _: u64) -> Result<()> {
        Err(ONLY.into())
    }

    fn seen(_: &Vec<SessionInfo>) -> Option<u64> {
        None
    }
}

const ONLY: &str = "sessions are only looked up here";
