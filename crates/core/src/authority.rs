//! Which authorizer made a grant.

use std::fmt;

use crate::{Entropy, NoEntropy};

/// The identity of one [`Authorizer`](crate::Authorizer), drawn at random when it is built.
///
/// A vault is built for one authority and believes no grant of another: what an allow-all engine elsewhere in the program
/// grants opens nothing. There is no way to make one but to build an authorizer.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Authority([u8; 16]);

impl Authority {
    pub(crate) fn draw(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        let mut id = [0; 16];
        entropy.fill(&mut id)?;
        Ok(Self(id))
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}
