//! What every shop promises, whatever its framework: each is started as a process and driven over HTTP by visitors that keep
//! their cookies.
//!
//! A shop's own test names its program and what its framework has of its own, and calls [`shop_promises!`](crate::shop_promises).

mod attacks;
mod customers;
mod outages;
mod running;
mod visitor;

pub use attacks::*;
pub use customers::*;
pub use outages::*;
pub use running::Running;
pub use visitor::{Visitor, page};

/// A shop: its program, and what its framework has of its own.
#[derive(Debug, Clone, Copy)]
pub struct Shop {
    /// The path of its program: `env!("CARGO_BIN_EXE_…")`.
    pub program: &'static str,
    /// The name of its session cookie.
    pub cookie: &'static str,
    /// The commands that a page costs which only reads the session, as the server counts them.
    pub commands_of_a_read: &'static [(&'static str, u64)],
}

/// Makes a test of every promise.
#[macro_export]
macro_rules! shop_promises {
    ($shop:expr) => {
        $crate::shop_promises! { $shop =>
            signing_in_changes_the_cookie_keeps_the_cart_and_ends_the_old_session
            a_cart_is_the_customers_own
            devices_are_listed_and_end_one_by_one
            all_other_devices_end_at_once
            signing_out_ends_the_session_for_every_copy_of_the_cookie
            a_post_after_signing_out_brings_nothing_back
            a_restart_and_a_kill_of_the_shop_end_no_session
            a_page_that_needs_no_session_asks_the_server_nothing
            a_page_that_reads_the_session_costs_what_is_said_of_its_framework
            other_cookies_are_left_alone
            no_made_up_cookie_becomes_a_session
            a_cookie_of_another_shop_opens_nothing
            unreadable_bytes_open_nothing_and_block_nobody
            an_outage_is_no_sign_out
        }
    };
    ($shop:expr => $($promise:ident)+) => {
        $(#[test] fn $promise() { $crate::suite::$promise(&$shop); })+
    };
}
