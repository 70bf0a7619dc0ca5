//! The suite of `bartizan-crypto`, and that it sees.

use std::sync::Arc;

use bartizan_crypto::{
    Provider,
    conformance::{Failure, broken},
};
use bartizan_crypto_aws_lc::AwsLc;

bartizan_crypto::conformance_suite!(AwsLc::new());

#[test]
fn the_suite_catches_this_provider_broken_in_each_way() -> Result<(), Failure> {
    let provider: Arc<dyn Provider> = Arc::new(AwsLc::new());
    assert_eq!(broken::every_defect_is_caught(&provider)?, broken::Defect::ALL.len());
    Ok(())
}
