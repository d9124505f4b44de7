//! Masters that die or are replaced.

use super::{MASTER_NAME, RedisSentinel};
use crate::poll;

impl RedisSentinel {
    /// Kills the master (`SIGKILL`); after a few seconds the sentinels make the replica the master, with all
    /// that [`wait_for_replica`](Self::wait_for_replica) has waited for.
    ///
    /// # Panics
    ///
    /// When the sentinels do not agree on a master that answers.
    ///
    /// # Examples
    ///
    /// ```
    /// use rrss_test_servers::{Flavor, RedisSentinel};
    ///
    /// let mut group = RedisSentinel::start(Flavor::Redis);
    /// let before = group.master_url();
    /// group.kill_master();
    /// group.wait_for_failover();
    /// assert_ne!(group.master_url(), before);
    /// ```
    pub fn kill_master(&mut self) {
        let port = self.master().port();
        let master = self.servers.iter_mut().find(|server| server.port() == port);
        master.expect("the master is one of the servers").kill();
    }

    /// Waits until the replica has run all that the master has run by now, so that it has it when it takes
    /// over; servers answer clients sooner than that.
    ///
    /// # Panics
    ///
    /// When that takes too long, or the replica does not answer.
    pub fn wait_for_replica(&self) {
        self.master().wait_for_replica(self.replica());
    }

    /// Waits until all sentinels name a master that answers and says itself that it is the master.
    ///
    /// To be called when the master was killed or paused: where it still answers, this may return at once.
    ///
    /// # Panics
    ///
    /// When that takes too long.
    pub fn wait_for_failover(&self) {
        poll::until("the replica becomes the master", || {
            self.agreed_master().map(|_| ())
        });
    }

    /// Makes the replica the master and the master its replica, as an administrator would
    /// ([`SENTINEL FAILOVER`](https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/#sentinel-commands)).
    ///
    /// Nothing is lost that was written before. Returns when the sentinels agree and the old master follows the new one. Clients of the old master are
    /// disconnected when it becomes a replica.
    ///
    /// # Panics
    ///
    /// When the replica does not answer.
    pub fn fail_over(&self) {
        let before = self.master().port();
        self.wait_for_replica();
        poll::until("the replica becomes the master", || {
            self.settled()?;
            let master = self.agreed_master()?;
            if master.port() != before {
                return Ok(());
            }
            // In a settled group no failover is under way: none was begun, or the sentinel gave up because
            // it had not heard of the replica for a moment.
            let command = ["SENTINEL", "FAILOVER", MASTER_NAME];
            let answer = self.sentinels[0].try_command(&command);
            Err(format!("{master:?} is the master still, {answer:?}"))
        });
    }

    /// Starts those servers that were killed again, on the same ports; returns when every server that answers
    /// follows the master, one that was resumed too.
    ///
    /// A server begins as a master with no keys, and is one until the sentinels see it, which takes them a
    /// second or more. One that comes back before [`wait_for_failover`](Self::wait_for_failover) may stay the
    /// master, and the replica's keys are gone too then.
    ///
    /// # Panics
    ///
    /// When the servers do not agree on a master.
    pub fn restart(&mut self) {
        for server in self.servers.iter_mut().filter(|server| !server.runs()) {
            server.restart();
        }
        poll::until("the servers follow one master", || self.settled());
    }
}
