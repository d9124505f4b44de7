//! A store in the making.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use rrss_core::{
    Answer, Around, Backend, BuildContext, Clock, Conflict, OnCorrupt, Operation, PipelineBuilder,
    Result, Shape, Step, Together, Transform,
};

use crate::store::{Parts, Store};

/// A store in the making, in code: steps are added in the order of a write, and end with a backend.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss::Result<()> {
/// use std::time::Duration;
/// use rrss::{Expiry, JsonCodec, Memory, Session, Shape, Store, expiry};
///
/// let store = Store::builder()
///     .key_mapper(|id| format!("shop:sessions:{id}"))
///     .step::<Expiry>(expiry::Options { duration: Duration::from_secs(3600).into(), ..Default::default() })
///     .before("forget-password", Shape::on_session(), |op| {
///         if let Some(session) = op.session_mut() {
///             session.remove("password");
///         }
///         Ok(())
///     })
///     .step::<JsonCodec>(Default::default())
///     .step::<Memory>(Default::default())
///     .build()?;
///
/// let mut session = Session::new();
/// session.insert("user", "ann")?;
/// session.insert("password", "hunter2")?;
/// store.save(&mut session).await?;
/// let stored = store.load(session.id().unwrap()).await?.unwrap();
/// assert!(stored.contains_key("user") && !stored.contains_key("password"));
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct StoreBuilder {
    pipeline: PipelineBuilder,
    together: Vec<Vec<String>>,
    parts: Parts,
}

impl StoreBuilder {
    /// Adds a step by its type, with its options: the same that its table in a file has.
    #[must_use]
    pub fn step<S: Step>(self, options: S::Options) -> Self {
        self.map(|pipeline| pipeline.step::<S>(options))
    }

    /// Adds a key mapper from any function of the id, with random UUIDs as ids.
    ///
    /// Two ids must never have one key. The keys of a plain function cannot be told from others, so such a store
    /// does not list or count its sessions; [`KeyMapper::from_fn`](rrss_key_mapper::KeyMapper::from_fn) has the rest.
    #[cfg(feature = "key-mapper")]
    #[must_use]
    pub fn key_mapper(self, key: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        use rrss_key_mapper::KeyMapper;
        self.transform("key-mapper", KeyMapper::SHAPE, KeyMapper::from_fn(key))
    }

    /// Adds a transform of your own.
    #[must_use]
    pub fn transform(
        self,
        name: impl Into<Cow<'static, str>>,
        shape: Shape,
        transform: impl Transform,
    ) -> Self {
        self.map(|pipeline| pipeline.transform(name, shape, transform))
    }

    /// Adds a transform from a closure that runs on the way to the backend.
    #[must_use]
    pub fn before<F>(self, name: impl Into<Cow<'static, str>>, shape: Shape, before: F) -> Self
    where
        F: Fn(&mut Operation) -> Result<()> + Send + Sync + 'static,
    {
        self.map(|pipeline| pipeline.before(name, shape, before))
    }

    /// Adds a transform from a closure that runs on the way back.
    #[must_use]
    pub fn after<F>(self, name: impl Into<Cow<'static, str>>, shape: Shape, after: F) -> Self
    where
        F: Fn(&Operation, &mut Answer) -> Result<()> + Send + Sync + 'static,
    {
        self.map(|pipeline| pipeline.after(name, shape, after))
    }

    /// Adds a step that wraps everything below it.
    #[must_use]
    pub fn around(
        self,
        name: impl Into<Cow<'static, str>>,
        shape: Shape,
        around: impl Around,
    ) -> Self {
        self.map(|pipeline| pipeline.around(name, shape, around))
    }

    /// Adds a backend of your own.
    #[must_use]
    pub fn backend(self, name: impl Into<Cow<'static, str>>, backend: impl Backend) -> Self {
        self.map(|pipeline| pipeline.backend(name, backend))
    }

    /// What steps may know of their surroundings: the folder that relative paths start in.
    #[must_use]
    pub fn context(self, context: BuildContext) -> Self {
        self.map(|pipeline| pipeline.context(context))
    }

    /// The clock that every operation reads once; the machine's unless said.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.parts.clock = Arc::new(clock);
        self
    }

    /// A name for the store, where an application has several.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.parts.name = Some(name.into());
        self
    }

    /// What a save does when the stored session changed since it was loaded; merges unless said.
    #[must_use]
    pub fn conflict(mut self, conflict: Conflict) -> Self {
        self.parts.conflict = conflict;
        self
    }

    /// Adds a group of fields that stand or fall together: of two requests that change some of them at once, the later save
    /// has all of them.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss::Result<()> {
    /// use rrss::{JsonCodec, Memory, Session, Store};
    ///
    /// let store = Store::builder()
    ///     .together(["user_id", "role"])
    ///     .key_mapper(|id| format!("sessions:{id}"))
    ///     .step::<JsonCodec>(Default::default())
    ///     .step::<Memory>(Default::default())
    ///     .build()?;
    /// let mut one = Session::new();
    /// one.insert("user_id", "ann")?;
    /// one.insert("role", "user")?;
    /// store.save(&mut one).await?;
    ///
    /// let mut other = store.load(one.id().unwrap()).await?.unwrap();
    /// one.insert("role", "admin")?;
    /// store.save(&mut one).await?;
    /// other.insert("user_id", "carl")?;
    /// store.save(&mut other).await?;
    /// assert_eq!(other.get::<String>("role")?.as_deref(), Some("user"));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn together<F: Into<String>>(mut self, fields: impl IntoIterator<Item = F>) -> Self {
        self.together
            .push(fields.into_iter().map(Into::into).collect());
        self
    }

    /// What the store does with a stored session that cannot be read; it answers the error unless said.
    #[must_use]
    pub fn on_corrupt(mut self, on_corrupt: OnCorrupt) -> Self {
        self.parts.on_corrupt = on_corrupt;
        self
    }

    /// How long a session that cannot be read is kept with [`OnCorrupt::Quarantine`]; 30 days unless said.
    #[must_use]
    pub fn quarantine_for(mut self, duration: Duration) -> Self {
        self.parts.quarantine_for = duration;
        self
    }

    /// How long a load of an id that was [rotated](Store::rotate) away answers [`ErrorKind::Gone`](rrss_core::ErrorKind::Gone)
    /// rather than that there is no such session; 30 seconds unless said. With zero it never does.
    #[must_use]
    pub fn rotated_for(mut self, duration: Duration) -> Self {
        self.parts.rotated_for = duration;
        self
    }

    /// Checks that the steps fit together, and builds the store.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](rrss_core::ErrorKind::Config) where they do not, with every reason, where
    /// [`on_corrupt`](StoreBuilder::on_corrupt) cannot be done with them, or where fields are not grouped as [`Together`] says; else the first error of a step that could not be built.
    pub fn build(mut self) -> Result<Store> {
        self.parts.together = Together::new(std::mem::take(&mut self.together))?;
        let pipeline = match &self.parts.name {
            Some(name) => self.pipeline.of_store(name),
            None => self.pipeline,
        };
        let pipeline = pipeline.build()?;
        self.parts.check(&pipeline)?;
        Ok(Store::with_parts(pipeline, self.parts))
    }

    fn map(self, add: impl FnOnce(PipelineBuilder) -> PipelineBuilder) -> Self {
        Self {
            pipeline: add(self.pipeline),
            ..self
        }
    }
}
