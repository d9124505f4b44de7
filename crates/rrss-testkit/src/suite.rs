//! How one list of names becomes the tests of a suite, and the suite as values.

/// Expands to one test for each name; `$make` is evaluated in each, and may await.
#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    ($suite:ident { $make:expr } $($promise:ident)*) => {
        $(
            #[test]
            fn $promise() {
                $crate::__hold(stringify!($promise), async { $make }, $crate::$suite::$promise);
            }
        )*
    };
}

/// Expands to a vector of [`Promise`](crate::Promise)s.
#[doc(hidden)]
#[macro_export]
macro_rules! __values {
    ($suite:ident { $subject:ty } $($promise:ident)*) => {
        vec![$(
            $crate::Promise::<$subject>::new(stringify!($promise), |subject| {
                Box::pin($crate::$suite::$promise(subject))
            })
        ),*]
    };
}
