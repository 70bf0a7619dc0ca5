//! The seam to what computes Argon2id: a value, chosen by the program.

use std::{fmt, hint};

use argon2::{Algorithm, Argon2, Block, Version};

use crate::Params;

/// Computes Argon2id version 19 (RFC 9106).
///
/// [`RustCryptoArgon2id`] unless [`Passwords::with_engine`](crate::Passwords::with_engine) says otherwise. An engine owns the
/// memory that it computes in, so that one that wants it aligned, or in huge pages, may have it so; how much of it there is at
/// a time, and which of it is used again, is decided by [`Passwords`](crate::Passwords) alone.
pub trait Argon2idEngine: fmt::Debug + Send + Sync {
    /// Memory for operations of up to this many KiB, taken from the machine now and not at its first use; `None` when the
    /// machine has no more.
    fn memory(&self, kib: u32) -> Option<Box<dyn WorkingMemory>>;
}

/// The memory of one operation at a time, used again by later ones.
pub trait WorkingMemory: Send {
    /// Fills `tag` with the tag of this input. Its parameters ask for no more memory than this is.
    ///
    /// # Errors
    /// [`EngineFailed`]; within the bounds of [`Params`], with a salt of at least 8 bytes and a tag of 16 to 64 bytes, there is
    /// no reason to.
    fn derive(&mut self, input: &Argon2idInput<'_>, tag: &mut [u8]) -> Result<(), EngineFailed>;

    /// Overwrites whatever an earlier operation left here. Called after every operation, also after one that failed or
    /// panicked, and before this is dropped.
    fn wipe(&mut self);
}

/// What a tag is computed of.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Argon2idInput<'a> {
    /// Memory, passes, lanes.
    pub params: Params,
    /// The message `P` of RFC 9106 section 3.1.
    pub password: &'a [u8],
    /// The nonce `S`.
    pub salt: &'a [u8],
    /// The secret value `K`, empty when there is none.
    pub secret: &'a [u8],
}

impl<'a> Argon2idInput<'a> {
    /// Without a secret value.
    #[must_use]
    pub const fn new(params: Params, password: &'a [u8], salt: &'a [u8]) -> Self {
        Self { params, password, salt, secret: &[] }
    }

    /// With this secret value.
    #[must_use]
    pub const fn with_secret(mut self, secret: &'a [u8]) -> Self {
        self.secret = secret;
        self
    }
}

impl fmt::Debug for Argon2idInput<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Argon2idInput").field("params", &self.params).finish_non_exhaustive()
    }
}

/// An engine failed on valid input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine failed on valid input")]
pub struct EngineFailed;

/// The crate `argon2` of the RustCrypto project: the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct RustCryptoArgon2id;

impl Argon2idEngine for RustCryptoArgon2id {
    fn memory(&self, kib: u32) -> Option<Box<dyn WorkingMemory>> {
        let blocks = usize::try_from(kib).ok()?;
        let mut memory = Vec::new();
        memory.try_reserve_exact(blocks).ok()?;
        memory.resize(blocks, Block::new());
        Some(Box::new(Blocks(memory)))
    }
}

/// One block is one KiB.
struct Blocks(Vec<Block>);

impl WorkingMemory for Blocks {
    fn derive(&mut self, input: &Argon2idInput<'_>, tag: &mut [u8]) -> Result<(), EngineFailed> {
        let Argon2idInput { params, password, salt, secret } = *input;
        let settings =
            argon2::Params::new(params.memory_kib(), params.passes(), params.lanes(), Some(tag.len()))
                .map_err(|_| EngineFailed)?;
        Argon2::new_with_secret(secret, Algorithm::Argon2id, Version::V0x13, settings)
            .and_then(|argon2| argon2.hash_password_into_with_memory(password, salt, tag, &mut *self.0))
            .map_err(|_| EngineFailed)
    }

    fn wipe(&mut self) {
        // SECURITY: the blocks let a reader test guesses of the password without the cost of the hash. Plain stores of zeros,
        // which become one `memset` of it all: volatile words, and `fill` with a block, which is a `memset` for each, take
        // twice as long. The compiler cannot leave them out, since it is called through a pointer and does not know that
        // nobody reads the blocks afterwards.
        self.0.iter_mut().for_each(|block| block.as_mut().fill(0));
        hint::black_box(&mut self.0);
    }
}

#[cfg(test)]
mod tests {
    use argon2::{AssociatedData, ParamsBuilder};

    use super::*;

    /// The memory of an engine is what is computed in: with associated data, which [`Argon2idInput`] has not.
    #[test]
    fn rfc_9106_section_5_3_in_reused_memory() {
        let params = ParamsBuilder::new()
            .m_cost(32)
            .t_cost(3)
            .p_cost(4)
            .data(AssociatedData::new(&[4; 12]).unwrap())
            .build()
            .unwrap();
        let mut blocks = Blocks(vec![Block::new(); 40]);
        let mut tag = [0; 32];
        for _ in 0..2 {
            Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params.clone())
                .unwrap()
                .hash_password_into_with_memory(&[1; 32], &[2; 16], &mut tag, &mut *blocks.0)
                .unwrap();
            assert_eq!(
                tag,
                [
                    0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53,
                    0xc9, 0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01,
                    0xe6, 0x59,
                ]
            );
        }
    }

    #[test]
    fn what_is_wiped_is_zero() {
        let params = Params::danger_weak(64, 2, 1).unwrap();
        let mut blocks = Blocks(vec![Block::new(); 80]);
        let zeros = |blocks: &Blocks| {
            blocks.0.iter().filter(|block| block.as_ref().iter().all(|word| *word == 0)).count()
        };
        blocks.derive(&Argon2idInput::new(params, b"right", &[2; 16]), &mut [0; 32]).unwrap();
        assert_eq!(zeros(&blocks), 16);
        let mut working: Box<dyn WorkingMemory> = Box::new(blocks);
        working.wipe();
        let mut blocks = Blocks(vec![Block::new(); 80]);
        blocks.0.iter_mut().for_each(|block| block.as_mut().fill(0x5f1d));
        assert_eq!(zeros(&blocks), 0);
        blocks.wipe();
        assert_eq!(zeros(&blocks), 80);
    }
}
