//! The shapes of a table's fields, from their types and from how their keys are read.

/// The shapes of fields of a type that is there whole or not at all, by how their keys are read.
pub mod whole {
    use crate::{FromDocument, KeyShape};

    fn key<T: FromDocument>(name: &'static str, about: &'static str, is_required: bool) -> KeyShape {
        KeyShape { name, is_required, about, shape: T::shape() }
    }

    /// A key that must be there.
    pub fn required<S, T: FromDocument>(
        name: &'static str,
        about: &'static str,
        _: fn(&S) -> &T,
    ) -> KeyShape {
        key::<T>(name, about, true)
    }

    /// A key that may be there.
    pub fn optional<S, T: FromDocument>(
        name: &'static str,
        about: &'static str,
        _: fn(&S) -> &Option<T>,
    ) -> KeyShape {
        key::<T>(name, about, false)
    }

    /// A key with a default.
    pub fn or_default<S, T: FromDocument>(
        name: &'static str,
        about: &'static str,
        _: fn(&S) -> &T,
    ) -> KeyShape {
        key::<T>(name, about, false)
    }
}

/// The shapes of fields of a type whose parts are there one by one, by how their keys are read.
pub mod parts {
    use crate::{FromDocument, KeyShape};

    /// A key that must be there.
    pub fn required<S, T: FromDocument>(
        name: &'static str,
        about: &'static str,
        _: fn(&S) -> &Option<T>,
    ) -> KeyShape {
        KeyShape { name, is_required: true, about, shape: T::shape() }
    }

    /// The same, with an example of how it is written.
    pub fn required_as<S, T: FromDocument>(
        name: &'static str,
        about: &'static str,
        field: fn(&S) -> &Option<T>,
    ) -> KeyShape {
        required(name, about, field)
    }

    /// A key that may be there.
    #[allow(clippy::option_option, reason = "the outer one is of the value, the inner one of the key")]
    pub fn optional<S, T: FromDocument>(
        name: &'static str,
        about: &'static str,
        _: fn(&S) -> &Option<Option<T>>,
    ) -> KeyShape {
        KeyShape { name, is_required: false, about, shape: T::shape() }
    }

    /// A key with a default.
    pub fn or_default<S, T: FromDocument>(
        name: &'static str,
        about: &'static str,
        _: fn(&S) -> &Option<T>,
    ) -> KeyShape {
        KeyShape { name, is_required: false, about, shape: T::shape() }
    }

    /// A key that holds nothing where it is not there, or is wrong.
    pub fn or_empty<S, T: FromDocument>(
        name: &'static str,
        about: &'static str,
        _: fn(&S) -> &T,
    ) -> KeyShape {
        KeyShape { name, is_required: false, about, shape: T::shape() }
    }
}
