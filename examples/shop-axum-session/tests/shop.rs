//! The shop with axum_session keeps every promise that the shops make.

use shop::suite::Shop;

const SHOP: Shop = Shop {
    program: env!("CARGO_BIN_EXE_shop-axum-session"),
    cookie: "session",
    commands_of_a_read: &[("get", 2), ("pexpiretime", 1)],
};

shop::shop_promises!(SHOP);
