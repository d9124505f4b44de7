//! Who may sign in: everybody, with no password. A real shop looks it up here.

use std::convert::Infallible;

use axum_login::{AuthUser, AuthnBackend, UserId};

/// A customer, by name.
#[derive(Debug, Clone)]
pub(crate) struct Customer(pub(crate) String);

impl AuthUser for Customer {
    type Id = String;

    fn id(&self) -> String {
        self.0.clone()
    }

    /// A real shop answers the hash of the password: sessions end where that changes.
    fn session_auth_hash(&self) -> &[u8] {
        b"no password"
    }
}

/// The customers.
#[derive(Debug, Clone)]
pub(crate) struct Customers;

impl AuthnBackend for Customers {
    type User = Customer;
    type Credentials = String;
    type Error = Infallible;

    async fn authenticate(&self, name: String) -> Result<Option<Customer>, Infallible> {
        Ok(shop::customer(&name).map(Customer))
    }

    async fn get_user(&self, id: &UserId<Self>) -> Result<Option<Customer>, Infallible> {
        Ok(Some(Customer(id.clone())))
    }
}
