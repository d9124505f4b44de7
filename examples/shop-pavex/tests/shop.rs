//! The shop in pavex keeps every promise that the shops make.

use shop::suite::Shop;

const SHOP: Shop = Shop {
    program: env!("CARGO_BIN_EXE_shop-pavex"),
    cookie: "session",
    commands_of_a_read: &[("get", 1), ("pexpiretime", 1)],
};

shop::shop_promises!(SHOP);
