//! The step: loads answered from what is kept, and everything else passed on.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::PlaceholderGuard;
use quick_cache::{DefaultHashBuilder, Weighter};
use rrss_core::{
    Action, Answer, Around, BuildContext, Next, Operation, Outcome, Result, Role, Shape, Step,
    StorageKey,
};

use crate::entry::{Entry, Found};
use crate::options::{OnUntracked, Options};

/// Keeps loaded sessions in this process while they are unchanged.
///
/// Stands above the codec, so what it keeps is decoded; clones share it.
///
/// # Examples
///
/// ```
/// use rrss::{Session, Store};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss::Result<()> {
/// # let server = rrss_test_servers::RedisServer::start(rrss_test_servers::Flavor::Redis);
/// # let url = server.url();
/// # let _cache = rrss_cache::Options::default();
/// let store = Store::from_toml(&format!(
///     "step = [{{ type = 'key-mapper' }}, {{ type = 'expiry' }}, {{ type = 'cache' }}, {{ type = 'json-codec' }}, \
///      {{ type = 'redis', url = '{url}' }}]"
/// ))?;
/// let mut session = Session::new();
/// session.insert("theme", "dark")?;
/// store.save(&mut session).await?;
///
/// // Of these, the first asks Redis, and the second nobody.
/// for _ in 0..2 {
///     let loaded = store.load(session.id().unwrap()).await?.unwrap();
///     assert_eq!(loaded.get::<String>("theme")?.as_deref(), Some("dark"));
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

struct Inner {
    entries: Entries,
    max_age: Duration,
    on_untracked: OnUntracked,
}

type Entries = quick_cache::sync::Cache<StorageKey, Arc<Entry>, Weight>;
type Guard<'a> = PlaceholderGuard<
    'a,
    StorageKey,
    Arc<Entry>,
    Weight,
    DefaultHashBuilder,
    quick_cache::sync::DefaultLifecycle<StorageKey, Arc<Entry>>,
>;

#[derive(Clone)]
struct Weight;

impl Weighter<StorageKey, Arc<Entry>> for Weight {
    fn weight(&self, key: &StorageKey, entry: &Arc<Entry>) -> u64 {
        key.as_bytes().len() as u64 + entry.weight()
    }
}

/// What a session is taken to weigh when the tables are made; they grow and shrink with what is kept.
const TYPICAL: u64 = 2 * 1024;

impl Cache {
    /// The step with these options.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](rrss_core::ErrorKind::Config) where `max_age` is zero.
    pub fn new(options: &Options) -> Result<Self> {
        options.check()?;
        let capacity = options.capacity.get();
        let sessions = usize::try_from(capacity / TYPICAL)
            .unwrap_or(usize::MAX)
            .max(1);
        Ok(Self(Arc::new(Inner {
            entries: Entries::with_weighter(sessions, capacity, Weight),
            max_age: options.max_age.get(),
            on_untracked: options.on_untracked,
        })))
    }

    /// How many sessions are kept now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.entries.len()
    }

    /// Whether none is kept now.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all that is kept; the next load of each session asks the backend.
    pub fn clear(&self) {
        self.0.entries.clear();
    }

    async fn load(&self, op: &mut Operation, next: Next<'_>) -> Result<Answer> {
        let Inner { entries, .. } = &*self.0;
        let now = op.now();
        if let Some(entry) = entries.get(op.key()?) {
            if let Some(answer) = entry.answer(now) {
                return Ok(answer);
            }
            self.forget_entry(op.key()?, &entry);
        }
        let key = op.key()?.clone();
        match entries.get_value_or_guard_async(&key).await {
            Ok(entry) => match entry.answer(now) {
                Some(answer) => Ok(answer),
                None => next.run(op).await,
            },
            Err(guard) => self.fill(guard, &key, op, next).await,
        }
    }

    /// Asks the backend, for all who have come for the same session meanwhile. Should this be dropped before it is done,
    /// the next of them asks.
    async fn fill(
        &self,
        guard: Guard<'_>,
        key: &StorageKey,
        op: &mut Operation,
        next: Next<'_>,
    ) -> Result<Answer> {
        op.wants_validity = true;
        op.wants_deadline = true;
        let answer = next.run(op).await;
        let entry = Arc::new(match &answer {
            Ok(answer) => self.entry(answer, op),
            // Each of those who wait gets an error of its own, and none later than if it had not waited.
            Err(_) => Entry::Unshared,
        });
        let is_kept = matches!(&*entry, Entry::Found(_));
        // Nothing is put where the session was changed from here since the load began.
        let is_put = guard.insert(Arc::clone(&entry)).is_ok();
        if is_put && !is_kept {
            self.forget_entry(key, &entry);
        }
        answer
    }

    fn entry(&self, answer: &Answer, op: &Operation) -> Entry {
        if answer.outcome == Outcome::Missing {
            return Entry::Missing;
        }
        if answer.validity.is_none() && self.0.on_untracked == OnUntracked::Bypass {
            return Entry::Unshared;
        }
        match Found::of(answer, op.now(), self.0.max_age) {
            Some(found) => Entry::Found(Box::new(found)),
            None => Entry::Unshared,
        }
    }

    fn forget_entry(&self, key: &StorageKey, entry: &Arc<Entry>) {
        let is_this = |other: &Arc<Entry>| Arc::ptr_eq(other, entry);
        self.0.entries.remove_if(key, is_this);
    }
}

/// Forgets a session before it is changed, and again afterwards, however that ends: what was loaded meanwhile may be
/// from before the change.
struct Forgetting<'a> {
    entries: &'a Entries,
    key: StorageKey,
}

impl<'a> Forgetting<'a> {
    fn begin(entries: &'a Entries, key: StorageKey) -> Self {
        entries.remove(&key);
        Self { entries, key }
    }
}

impl Drop for Forgetting<'_> {
    fn drop(&mut self) {
        self.entries.remove(&self.key);
    }
}

impl Around for Cache {
    async fn call(&self, op: &mut Operation, next: Next<'_>) -> Result<Answer> {
        match op.action() {
            Action::Load => return self.load(op, next).await,
            // It changes no session.
            Action::Reindex => return next.run(op).await,
            _ => {}
        }
        let old = op.replaces.as_ref().and_then(|old| old.key.clone());
        let forget = |key| Forgetting::begin(&self.0.entries, key);
        let _forgetting = (op.key.clone().map(forget), old.map(forget));
        next.run(op).await
    }
}

impl Step for Cache {
    const TYPE: &'static str = "cache";
    const EXAMPLE: &'static str = "[[step]]\ntype = \"cache\"\nmax_age = \"10s\"\n";
    type Options = Options;

    fn shape(options: &Options) -> Shape {
        let shape = Shape::on_session()
            .around()
            .needs_key()
            .once()
            .answers_loads();
        match options.on_untracked {
            OnUntracked::Bypass => shape.needs_changes(),
            OnUntracked::MaxAge => shape,
        }
    }

    fn check(options: &Options) -> Result<()> {
        options.check()
    }

    fn build(options: Options, _: &BuildContext) -> Result<Role> {
        Ok(Role::around(Self::new(&options)?))
    }
}

rrss_core::register!(Cache);

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cache({} sessions)", self.len())
    }
}
