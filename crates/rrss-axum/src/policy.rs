//! What the layer does where a host may want one thing or another.

/// What a request gets while the backend cannot be reached; see [`SessionLayer::on_outage`](crate::SessionLayer::on_outage).
///
/// Neither begins a new session, and neither takes the cookie away: with the backend back, people are logged in as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum OnOutage {
    /// Using the session is an error, which answers `503 Service Unavailable`.
    #[default]
    Refuse,
    /// Reading goes on as if there were no session: for pages that strangers may see too. Changing anything is an error,
    /// which answers `503`.
    WithoutSession,
}

/// What a request gets whose session is stored in bytes that cannot be read; see
/// [`SessionLayer::on_corrupt`](crate::SessionLayer::on_corrupt).
///
/// Either way it is logged, without the id, what is stored stays as it is, and the browser is told to forget its id: it does
/// not come back with it, and nobody gets that id again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum OnCorrupt {
    /// As if there were no session: what is inserted begins one, under a new id.
    #[default]
    StartAfresh,
    /// Using the session is an error, which answers `500 Internal Server Error`.
    Fail,
}
