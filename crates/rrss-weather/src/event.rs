//! What happens in a run.

/// One thing that happens. A run is a list of them.
///
/// `Debug` prints it as it is written in Rust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A store carries out an operation, and the next event comes when it has answered, or when something of this store stands
    /// at a gate.
    Do(usize, Op),
    /// A store begins an operation, and the next event comes at once.
    Begin(usize, Op),
    /// The next event comes when all operations have answered that were begun, or when one of them stands at a gate.
    Join,
    /// On the way of this store, the `nth` command of this name from now on meets the fault. `"*"` is any name.
    ///
    /// With `memory` and `embedded` the names are those of calls of a backend: `CREATE`, `UPDATE`, `DELETE`, …
    Meet(usize, &'static str, u32, Fault),
    /// Commands that stand at a gate go on, and faults that have not come do not come any more.
    Calm,
    /// So many milliseconds pass.
    Wait(u64),
    /// The servers have no room any more, or have again (`maxmemory`).
    Full(bool),
    /// The stores may not use this command any more (`ACL SETUSER`).
    Forbid(&'static str),
    /// The stores may use all commands again.
    Allow,
    /// The servers forget their scripts.
    FlushScripts,
    /// A master dies and its replica, which has all that was acknowledged, takes its place. With sentinels, and in a cluster.
    FailOver,
    /// A master dies, and its replica takes its place without the latest writes. What is lost then is documented, so the
    /// model forgets what it knew.
    FailOverWithLoss,
    /// The server evicts the index (`DEL`). What is lost then is documented, so the model forgets what it knew.
    EvictIndex,
    /// The disk of `embedded` has no room any more, or has again.
    DiskFull(bool),
    /// All calms down, every operation answers, and the promises are checked.
    Rest,
}

/// What a store is asked for. Sessions are known by the slot that they are in; each slot holds one session at a time, and each store
/// has a copy of it that it loaded before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// A new session in the slot, of a user; user 0 is nobody.
    Create(usize, u8),
    /// Loads the session of the slot.
    Load(usize),
    /// Loads the session of the slot by an id that it had before.
    LoadOld(usize),
    /// Saves the store's copy of the session, with a change.
    Save(usize, Change),
    /// Counts one up in the session (`update_field`).
    Count(usize),
    /// Touches the session.
    Touch(usize),
    /// Moves the deadline of the session to so many milliseconds from now.
    TouchUntil(usize, i64),
    /// Gives the session a new id, and saves a change with it.
    Rotate(usize, Change),
    /// Deletes the session.
    Delete(usize),
    /// Finds the sessions of a user.
    Find(u8),
    /// Ends the sessions of a user.
    Revoke(u8),
    /// Ends all sessions but this one of the user of this one.
    RevokeOthers(usize),
    /// Lists all sessions.
    List,
    /// Sweeps what has expired.
    Sweep,
    /// Puts the entries of all sessions into the index.
    Reindex,
}

/// What is changed in a session before it is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    Nothing,
    /// The field `a` gets a value that no other write has.
    SetA,
    /// The field `b` gets a value that no other write has.
    SetB,
    /// The field `a` is removed.
    RemoveA,
    /// The session becomes another user's; user 0 is nobody.
    User(u8),
    /// The session gets a deadline of its own in the year 9999.
    Forever,
}

/// What becomes of a command on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The server refuses it: `OOM`.
    RefuseFull,
    /// The server refuses it: `NOPERM`.
    RefuseForbidden,
    /// It is passed on so many milliseconds later.
    Delay(u64),
    /// It waits for [`Event::Calm`] before it is passed on.
    Hold,
    /// Its answer waits for [`Event::Calm`].
    HoldAnswer,
    /// The connection breaks before it.
    CutBefore,
    /// The connection breaks before its answer.
    CutAfter,
    /// Its answer never comes.
    Swallow,
}
