//! Sessions as web applications have them: who is signed in, with which rights, what is in the cart.
//!
//! They are generated from a seed: the same seed gives the same sessions on every machine. Nothing in them is
//! longer or more regular than in real ones, since what parses, copies and compresses them would show it.

use clap::ValueEnum;
use oorandom::Rand64;
use serde::Serialize;

/// The field that the benches read: a number.
pub const READ_FIELD: &str = "tenant";

/// The field that the benches change: a time, of the same length before and after.
pub const CHANGED_FIELD: &str = "last_seen";

/// The time at which [`CHANGED_FIELD`] begins, in milliseconds since 1970.
pub const BEGIN: u64 = 1_795_348_800_000;

/// How large the sessions of a corpus are, as JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
pub enum Size {
    /// Who is signed in, and little else.
    #[value(name = "200b")]
    #[serde(rename = "200b")]
    Small,
    /// Preferences, a cart and some messages too.
    #[value(name = "1kb")]
    #[serde(rename = "1kb")]
    Medium,
    /// A token of an identity provider and a full cart too.
    #[value(name = "4kb")]
    #[serde(rename = "4kb")]
    Large,
}

impl Size {
    pub const ALL: [Self; 3] = [Self::Small, Self::Medium, Self::Large];

    /// How people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Small => "200 B",
            Self::Medium => "1 KB",
            Self::Large => "4 KB",
        }
    }

    /// The same, for the names of files.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Small => "200b",
            Self::Medium => "1kb",
            Self::Large => "4kb",
        }
    }

    /// About how many bytes a session has.
    pub fn bytes(self) -> usize {
        match self {
            Self::Small => 200,
            Self::Medium => 1_024,
            Self::Large => 4_096,
        }
    }
}

/// `count` sessions of about this size, each the text of a JSON object.
pub fn sessions(seed: u64, size: Size, count: usize) -> Vec<String> {
    let mut random = Random(Rand64::new(seed.into()));
    (0..count)
        .map(|_| {
            let session = random.session(size);
            serde_json::to_string(&session).expect("a generated session serialises")
        })
        .collect()
}

/// What an application keeps of a visitor.
#[derive(Debug, Serialize)]
struct Session {
    user_id: u64,
    roles: Vec<String>,
    csrf_token: String,
    tenant: u64,
    signed_in: SignedIn,
    last_seen: u64,
    locale: String,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    shop: Option<Shop>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
}

#[derive(Debug, Serialize)]
struct SignedIn {
    at: u64,
    by: String,
}

#[derive(Debug, Serialize)]
struct Shop {
    name: String,
    email: String,
    refresh_token: String,
    preferences: Preferences,
    messages: Vec<Message>,
    return_to: String,
    cart: Cart,
}

#[derive(Debug, Serialize)]
struct Preferences {
    theme: String,
    currency: String,
    newsletter: bool,
    page_size: u32,
}

#[derive(Debug, Serialize)]
struct Message {
    level: String,
    text: String,
}

#[derive(Debug, Serialize)]
struct Cart {
    coupon: Option<String>,
    items: Vec<Item>,
}

#[derive(Debug, Serialize)]
struct Item {
    sku: String,
    name: String,
    quantity: u32,
    price: f64,
}

struct Random(Rand64);

impl Random {
    fn session(&mut self, size: Size) -> Session {
        let roles = if self.below(8) == 0 {
            &["customer", "editor"][..]
        } else {
            &["customer"]
        };
        let mut session = Session {
            user_id: self.below(90_000_000) + 10_000_000,
            roles: roles.iter().map(|&role| role.to_owned()).collect(),
            csrf_token: self.token(43),
            tenant: self.below(9_000) + 1_000,
            signed_in: SignedIn {
                at: BEGIN - self.below(86_400_000),
                by: self.pick(&["password", "passkey", "google"]),
            },
            last_seen: BEGIN + self.below(86_400_000),
            locale: self.pick(&["en-GB", "en-US", "de-DE", "fr-FR", "pt-BR", "ja-JP"]),
            shop: (size != Size::Small).then(|| self.shop()),
            access_token: (size == Size::Large).then(|| self.identity_token()),
        };
        self.fill(&mut session, size);
        session
    }

    fn shop(&mut self) -> Shop {
        let (first, last) = (self.pick(FIRST_NAMES), self.pick(LAST_NAMES));
        Shop {
            email: format!(
                "{}.{}@example.com",
                first.to_lowercase(),
                last.to_lowercase()
            ),
            name: format!("{first} {last}"),
            refresh_token: self.token(64),
            preferences: Preferences {
                theme: self.pick(&["light", "dark", "system"]),
                currency: self.pick(&["EUR", "GBP", "USD", "BRL", "JPY"]),
                newsletter: self.below(2) == 0,
                page_size: [20, 50, 100][self.below(3) as usize],
            },
            messages: (0..=self.below(2))
                .map(|_| Message {
                    level: self.pick(&["info", "success", "warning"]),
                    text: self.pick(MESSAGES),
                })
                .collect(),
            return_to: format!(
                "/{}/{}?page={}",
                self.pick(&["products", "orders", "account"]),
                self.below(100_000),
                self.below(20)
            ),
            cart: Cart {
                coupon: (self.below(4) == 0).then(|| format!("WELCOME{}", self.below(90) + 10)),
                items: Vec::new(),
            },
        }
    }

    /// Adds to the cart while that brings the session nearer to its size.
    fn fill(&mut self, session: &mut Session, size: Size) {
        let length = serde_json::to_string(&session).map_or(0, |text| text.len());
        let mut missing = size.bytes().saturating_sub(length);
        let Some(shop) = &mut session.shop else {
            return;
        };
        loop {
            let item = self.item();
            let more = serde_json::to_string(&item).map_or(0, |text| text.len() + 1);
            if more / 2 > missing {
                return;
            }
            missing = missing.saturating_sub(more);
            shop.cart.items.push(item);
        }
    }

    fn item(&mut self) -> Item {
        Item {
            sku: format!(
                "{}-{:05}",
                self.pick(&["TEA", "CUP", "POT", "TIN"]),
                self.below(100_000)
            ),
            name: format!("{} {}", self.pick(KINDS), self.pick(THINGS)),
            quantity: self.below(4) as u32 + 1,
            price: (self.below(9_000) + 100) as f64 / 100.0,
        }
    }

    /// The three parts of a JSON Web Token (RFC 7519): incompressible, and longer than all else in the session.
    fn identity_token(&mut self) -> String {
        let (head, claims, signature) = (self.token(48), self.token(560), self.token(342));
        format!("eyJ{head}.eyJ{claims}.{signature}")
    }

    /// Random text in the alphabet of base64url (RFC 4648), as tokens are.
    fn token(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        (0..length)
            .map(|_| char::from(ALPHABET[self.below(64) as usize]))
            .collect()
    }

    fn pick(&mut self, words: &[&str]) -> String {
        words[self.below(words.len() as u64) as usize].to_owned()
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0.rand_range(0..end)
    }
}

const FIRST_NAMES: &[&str] = &[
    "Ada", "Björn", "Chiara", "Dmitri", "Esra", "Fatou", "Grace", "Haruki", "Inés", "Jun", "Kofi",
    "Leïla", "Mary", "Noor", "Olga", "Priya",
];

const LAST_NAMES: &[&str] = &[
    "Almeida", "Brown", "Cohen", "Diallo", "Eriksen", "Fischer", "García", "Hansen", "Ito",
    "Jensen", "Kowalski", "Lefèvre", "Müller", "Nguyen", "Okafor", "Patel",
];

const MESSAGES: &[&str] = &[
    "Your password was changed.",
    "Welcome back! You have 2 orders on their way.",
    "Only 3 left in stock: \"Gyokuro\" may sell out soon.",
    "We have sent you a link to confirm your address.",
    "The coupon was applied to your cart.",
    "Your session was opened from a new device.",
];

const KINDS: &[&str] = &[
    "Organic",
    "Smoked",
    "Porcelain",
    "Cast-iron",
    "First-flush",
    "Hand-thrown",
    "Roasted",
    "White",
    "Travel",
    "Glazed",
    "Double-walled",
    "Wild",
];

const THINGS: &[&str] = &[
    "oolong, 100 g",
    "sencha, 50 g",
    "teapot, 0.8 l",
    "cup, set of 4",
    "caddy",
    "matcha whisk",
    "rooibos, 250 g",
    "infuser",
    "Assam, 500 g",
    "kettle, 1.2 l",
];

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [Size; 3] = [Size::Small, Size::Medium, Size::Large];

    #[test]
    fn a_seed_gives_the_same_sessions_always_and_another_seed_others() {
        for size in SIZES {
            assert_eq!(sessions(1, size, 10), sessions(1, size, 10));
            assert_ne!(sessions(1, size, 10), sessions(2, size, 10));
        }
    }

    #[test]
    fn sessions_are_of_about_their_size() {
        for size in SIZES {
            let lengths: Vec<usize> = sessions(1, size, 1_000).iter().map(String::len).collect();
            let mean = lengths.iter().sum::<usize>() / lengths.len();
            let tenth = size.bytes() / 10;
            assert!(mean.abs_diff(size.bytes()) < tenth, "{size:?}: {mean}");
            let apart = lengths.iter().map(|length| length.abs_diff(mean)).max();
            assert!(apart.unwrap() < 2 * tenth, "{size:?}: {apart:?}");
        }
    }

    #[test]
    fn the_fields_that_benches_read_and_change_are_in_every_session() {
        for size in SIZES {
            for text in sessions(7, size, 100) {
                let session: serde_json::Map<_, _> = serde_json::from_str(&text).unwrap();
                assert!(session[READ_FIELD].is_u64());
                let last_seen = session[CHANGED_FIELD].as_u64().unwrap();
                assert_eq!(last_seen.to_string().len(), BEGIN.to_string().len());
            }
        }
    }
}
