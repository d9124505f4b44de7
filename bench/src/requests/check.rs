//! That all applications answer the same, and hold the same sessions before and after.

use std::cell::Cell;
use std::rc::Rc;

use hyper::header::{HeaderValue, SET_COOKIE};
use serde_json::{Map, Value};
use tokio::runtime::Runtime;

use super::client::{Connection, Visitors};
use super::route::{self, FILL, HELLO, Route, TELL, VISITS};
use super::served::Served;
use crate::corpus::{CHANGED_FIELD, READ_FIELD};
use crate::peer::{Failed, Result};

/// An application, and what its browsers know.
pub struct Site {
    /// The cookie of each session.
    pub cookies: Vec<HeaderValue>,
    /// How often the sessions were written.
    written: Rc<Cell<u64>>,
    pub served: Served,
}

impl Site {
    /// Begins a session with the fields of each text, as a browser without a cookie would.
    pub fn fill(runtime: &Runtime, served: Served, texts: &[String]) -> Result<Self> {
        let cookies = runtime.block_on(async {
            let mut connection = Connection::open(served.address).await?;
            let mut cookies = Vec::with_capacity(texts.len());
            for text in texts {
                let answer = connection.post(FILL, None, text.clone()).await?;
                let cookie = answer.headers().get(SET_COOKIE).ok_or("no cookie is set")?;
                let pair = cookie.to_str()?.split(';').next().unwrap_or_default();
                cookies.push(HeaderValue::from_str(pair)?);
            }
            connection.close().await;
            Ok::<_, Failed>(cookies)
        })?;
        Ok(Self {
            cookies,
            written: Rc::default(),
            served,
        })
    }

    /// Those that visit this route.
    pub fn visitors(&self, runtime: &Rc<Runtime>, route: Route) -> Visitors {
        let visitors = Visitors::new(runtime, self.served.address, route, &self.cookies);
        if route == Route::Write {
            visitors.counted_in(&self.written)
        } else {
            visitors
        }
    }

    /// Whether each route answers what it is to answer, in each session once.
    pub fn try_out(&self, runtime: &Runtime, texts: &[String]) -> Result<()> {
        let tried = runtime.block_on(async {
            let mut connection = Connection::open(self.served.address).await?;
            for (cookie, text) in self.cookies.iter().zip(texts) {
                let given: Map<String, Value> = serde_json::from_str(text)?;
                let number = given.get(READ_FIELD).and_then(Value::as_u64);
                let number = number.ok_or("the field that is read is not there")?;
                for (route, expected) in [
                    (Route::Still, HELLO.to_owned()),
                    (Route::Read, number.to_string()),
                    (Route::Write, "1".to_owned()),
                ] {
                    let answer = connection.get(route.path(), cookie).await?;
                    if answer != expected {
                        return Err(format!("{} answers something else", route.path()).into());
                    }
                }
            }
            connection.close().await;
            Ok::<_, Failed>(())
        });
        tried.map_err(|error| format!("{}: {error}", self.served.name))?;
        self.written
            .set(self.written.get() + self.cookies.len() as u64);
        self.audit(runtime, texts)
    }

    /// Whether the sessions are what was given, but for what was written, and whether all that was written is there.
    pub fn audit(&self, runtime: &Runtime, texts: &[String]) -> Result<()> {
        let audited = runtime.block_on(async {
            let mut connection = Connection::open(self.served.address).await?;
            let mut written = 0;
            for (cookie, text) in self.cookies.iter().zip(texts) {
                written += visits(&mut connection, cookie, text).await?;
            }
            connection.close().await;
            if written == self.written.get() {
                Ok(())
            } else {
                let answered = self.written.get();
                Err(format!("{answered} writes were answered, {written} are stored").into())
            }
        });
        audited.map_err(|error: Failed| format!("{}: {error}", self.served.name).into())
    }
}

/// How often this session was written, if all else in it is as it was given.
async fn visits(connection: &mut Connection, cookie: &HeaderValue, text: &str) -> Result<u64> {
    let mut expected: Map<String, Value> = serde_json::from_str(text)?;
    let mut names: Vec<&str> = expected.keys().map(String::as_str).collect();
    names.push(VISITS);
    let names = serde_json::to_string(&names)?;
    let answer = connection.post(TELL, Some(cookie), names).await?;
    let told: Map<String, Value> = serde_json::from_slice(answer.body())?;
    let visits = told.get(VISITS).and_then(Value::as_u64);
    let visits = visits.ok_or("a session was never written")?;
    expected.insert(VISITS.to_owned(), visits.into());
    expected.insert(CHANGED_FIELD.to_owned(), route::seen(visits).into());
    if told == expected {
        Ok(visits)
    } else {
        Err("a session is not what was given and written".into())
    }
}
