//! How an operation passes the steps, and how its answer comes back.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use rrss_core::{
    Action, Answer, Around, Backend, Cursor, Deadline, Error, ErrorKind, Guard, Next, Operation,
    Outcome, Page, Payload, Pipeline, PipelineBuilder, Record, Result, Session, Shape, StorageKey,
    Timestamp, Written,
};

type Log = Arc<Mutex<Vec<String>>>;

/// A backend that notes what comes to it, and answers every load with an empty object.
#[derive(Debug)]
struct Noting(Log);

impl Noting {
    fn note(&self, what: &str) {
        self.0.lock().unwrap().push(what.to_owned());
    }
}

impl Backend for Noting {
    async fn load(&self, _: &Operation) -> Result<Option<Record>> {
        self.note("load");
        Ok(Some(Record::new(
            Bytes::from_static(b"{}"),
            Some(Timestamp::from_millis(9)),
        )))
    }

    async fn write(&self, op: &Operation) -> Result<Written> {
        self.note("write");
        Ok(match op.guard {
            Guard::Absent => Written::Done,
            _ => Written::Gone,
        })
    }

    async fn touch(&self, _: &Operation) -> Result<Written> {
        Ok(Written::Done)
    }

    async fn delete(&self, _: &Operation) -> Result<Written> {
        Ok(Written::Gone)
    }

    async fn list(&self, _: &Operation, _: Option<&Cursor>, _: usize) -> Result<Page> {
        Ok(Page::default())
    }

    async fn count(&self, _: &Operation) -> Result<u64> {
        Err(Error::new(ErrorKind::Unavailable, "down"))
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}

fn key(builder: PipelineBuilder) -> PipelineBuilder {
    builder.before("key-mapper", Shape::anywhere().makes_key(), |op| {
        op.key = op.id().map(|id| StorageKey::from(id.as_str().to_owned()));
        Ok(())
    })
}

fn codec(builder: PipelineBuilder) -> PipelineBuilder {
    builder.before("codec", Shape::codec(), |op| {
        if op.take_session().is_some() {
            op.payload = Payload::Bytes(Bytes::from_static(b"{}"));
        }
        Ok(())
    })
}

fn noting(log: &Log, name: &'static str) -> impl Fn(PipelineBuilder) -> PipelineBuilder {
    let log = log.clone();
    move |builder| {
        let (down, up) = (log.clone(), log.clone());
        builder
            .before(format!("{name}-down"), Shape::anywhere(), move |_| {
                down.lock().unwrap().push(format!("{name} before"));
                Ok(())
            })
            .after(format!("{name}-up"), Shape::anywhere(), move |_, _| {
                up.lock().unwrap().push(format!("{name} after"));
                Ok(())
            })
    }
}

fn op(action: Action) -> Operation {
    Operation::new(action, Timestamp::from_millis(0)).with_id("id".into())
}

fn taken(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().unwrap())
}

#[tokio::test]
async fn the_answer_passes_the_same_steps_backwards() {
    let log = Log::default();
    let builder = noting(&log, "b")(codec(noting(&log, "a")(key(Pipeline::builder()))));
    let pipeline = builder
        .backend("noting", Noting(log.clone()))
        .build()
        .unwrap();
    let answer = pipeline.run(&mut op(Action::Load)).await.unwrap();
    assert_eq!(
        taken(&log),
        ["a before", "b before", "load", "b after", "a after"]
    );
    assert_eq!(answer.outcome, Outcome::Found);
    assert_eq!(answer.stored.unwrap().as_bytes(), b"{}");
    assert_eq!(answer.expires_at, Some(Timestamp::from_millis(9)));
}

#[tokio::test]
async fn a_settled_operation_never_reaches_the_steps_below() {
    let log = Log::default();
    let builder =
        noting(&log, "a")(key(Pipeline::builder())).before("gate", Shape::anywhere(), |op| {
            op.settle(Outcome::Missing);
            Ok(())
        });
    let builder = codec(noting(&log, "b")(builder));
    let pipeline = builder
        .backend("noting", Noting(log.clone()))
        .build()
        .unwrap();
    let answer = pipeline.run(&mut op(Action::Load)).await.unwrap();
    assert_eq!(answer.outcome, Outcome::Missing);
    assert_eq!(taken(&log), ["a before", "a after"]);
}

#[tokio::test]
async fn an_error_names_the_step_that_raised_it() {
    let builder = codec(key(Pipeline::builder())).before("picky", Shape::on_bytes(), |op| match op
        .action()
    {
        Action::Load => Err(Error::new(ErrorKind::Value, "no")),
        _ => Ok(()),
    });
    let pipeline = builder
        .backend("noting", Noting(Log::default()))
        .build()
        .unwrap();
    let error = pipeline.run(&mut op(Action::Load)).await.unwrap_err();
    assert_eq!(
        (error.step(), error.to_string().as_str()),
        (Some("picky"), "picky: no")
    );
    let error = pipeline.run(&mut op(Action::Count)).await.unwrap_err();
    assert_eq!(error.to_string(), "noting: down");
}

/// Answers touches by itself, and loads twice.
#[derive(Debug)]
struct Wrap;

impl Around for Wrap {
    async fn call(&self, op: &mut Operation, next: Next<'_>) -> Result<Answer> {
        match op.action() {
            Action::Touch => Ok(Answer::new(Outcome::Missing)),
            Action::Load => {
                next.run(&mut op.clone()).await?;
                next.run(op).await
            }
            _ => next.run(op).await,
        }
    }
}

#[tokio::test]
async fn an_around_step_decides_whether_and_how_often_the_steps_below_run() {
    let log = Log::default();
    let builder =
        noting(&log, "a")(key(Pipeline::builder())).around("wrap", Shape::anywhere(), Wrap);
    let builder = codec(noting(&log, "b")(builder));
    let pipeline = builder
        .backend("noting", Noting(log.clone()))
        .build()
        .unwrap();
    pipeline.run(&mut op(Action::Load)).await.unwrap();
    assert_eq!(
        taken(&log),
        [
            "a before", "b before", "load", "b after", "b before", "load", "b after", "a after"
        ]
    );
    let answer = pipeline.run(&mut op(Action::Touch)).await.unwrap();
    assert_eq!(answer.outcome, Outcome::Missing);
    assert_eq!(taken(&log), ["a before", "a after"]);
}

#[tokio::test]
async fn writes_carry_the_guard_and_the_deadline_of_the_caller() {
    let pipeline = codec(key(Pipeline::builder()))
        .backend("noting", Noting(Log::default()))
        .build()
        .unwrap();
    let mut session = Session::with_id("id".into());
    session.set_expires_at(Timestamp::from_millis(7));
    let mut create =
        Operation::new(Action::Create, Timestamp::from_millis(0)).with_session(session.clone());
    let answer = pipeline.run(&mut create).await.unwrap();
    assert_eq!(
        (answer.outcome, answer.expires_at),
        (Outcome::Done, Some(Timestamp::from_millis(7)))
    );
    assert_eq!(create.deadline, Deadline::At(Timestamp::from_millis(7)));
    let mut update =
        Operation::new(Action::Update, Timestamp::from_millis(0)).with_session(session);
    assert_eq!(
        pipeline.run(&mut update).await.unwrap().outcome,
        Outcome::Missing
    );
}

#[test]
fn a_pipeline_that_cannot_work_is_not_built_and_says_every_reason() {
    let error = Pipeline::builder()
        .before("zip", Shape::on_bytes(), |_| Ok(()))
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let message = error.to_string();
    assert!(message.contains("no step keeps the sessions"), "{message}");
    assert!(message.contains("`zip` takes bytes"), "{message}");
}

#[test]
fn an_encoder_runs_the_upper_steps_of_a_write_and_nothing_else() {
    let log = Log::default();
    let steps = |count| {
        let builder = noting(&log, "b")(codec(noting(&log, "a")(key(Pipeline::builder()))));
        let builder = builder.backend("noting", Noting(log.clone()));
        builder.build_encoder(count).unwrap()
    };
    let encoded = |count| {
        let mut session = Session::new();
        session.insert("a", &1).unwrap();
        steps(count)
            .encode(session, Timestamp::from_millis(0))
            .unwrap()
    };
    assert_eq!(encoded(3), None);
    assert_eq!(taken(&log), ["a before"]);
    assert_eq!(encoded(4).unwrap(), "{}");
    assert_eq!(taken(&log), ["a before"]);
    assert_eq!(encoded(usize::MAX).unwrap(), "{}");
    assert_eq!(taken(&log), ["a before", "b before"]);
}

#[test]
fn an_encoder_names_the_step_that_failed_and_stops_where_a_step_settles_the_write() {
    let log = Log::default();
    let encoded = |stop: fn(&mut Operation) -> Result<()>| {
        let builder = key(Pipeline::builder()).before("stop", Shape::anywhere(), stop);
        let builder = noting(&log, "a")(codec(builder)).backend("noting", Noting(log.clone()));
        let encoder = builder.build_encoder(usize::MAX).unwrap();
        encoder.encode(Session::new(), Timestamp::from_millis(0))
    };
    let error = encoded(|_| Err(Error::new(ErrorKind::Value, "no"))).unwrap_err();
    assert_eq!(error.step(), Some("stop"));
    let settled = encoded(|op| {
        op.settle(Outcome::Done);
        Ok(())
    });
    assert_eq!(settled.unwrap(), None);
    assert_eq!(taken(&log), [""; 0]);
}

#[tokio::test]
async fn an_operation_in_parts_does_what_it_does_as_a_whole() {
    let log = Log::default();
    let build = || {
        let steps = codec(noting(&log, "b")(noting(&log, "a")(key(
            Pipeline::builder(),
        ))));
        steps
            .backend("noting", Noting(log.clone()))
            .build()
            .unwrap()
    };
    let pipeline = build();
    let load = || Operation::new(Action::Load, Timestamp::from_millis(1)).with_id("1".into());
    let whole = pipeline.run(&mut load()).await.unwrap();
    let seen = std::mem::take(&mut *log.lock().unwrap());

    let mut op = load();
    assert!(pipeline.prepare(&mut op).unwrap());
    assert_eq!(op.key().unwrap().as_str(), "1");
    let answer = pipeline.run_on_backend(&op).await.unwrap();
    assert_eq!(log.lock().unwrap().last().unwrap(), "load");
    let parts = pipeline.read(&op, answer).unwrap();
    assert_eq!(*log.lock().unwrap(), seen);
    assert_eq!(parts.outcome, whole.outcome);
    assert_eq!(parts.expires_at, whole.expires_at);
}

#[tokio::test]
async fn an_operation_that_a_step_settles_is_not_prepared() {
    let log = Log::default();
    let steps = key(Pipeline::builder()).before("settle", Shape::anywhere(), |op| {
        op.settle(Outcome::Missing);
        Ok(())
    });
    let steps = codec(noting(&log, "below")(steps));
    let pipeline = steps
        .backend("noting", Noting(log.clone()))
        .build()
        .unwrap();
    let mut op = Operation::new(Action::Load, Timestamp::from_millis(1)).with_id("1".into());
    assert!(!pipeline.prepare(&mut op).unwrap());
    assert!(log.lock().unwrap().is_empty());
}
