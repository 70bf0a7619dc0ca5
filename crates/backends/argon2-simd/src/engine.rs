//! The engine: `argon2_rust::Hasher`, one for each memory.

use argon2_rust::{
    Algorithm, Argon2, Hasher, Params, Version,
    params::{Memory, TagLen},
};
use bartizan_passwords::{self as passwords, Argon2idEngine, Argon2idInput, EngineFailed, WorkingMemory};

/// Argon2id by the crate `argon2-rust`, with the widest vector instructions that the processor has.
///
/// Its memory is the crate's own, in huge pages where the system has them. It is used again for later operations, but it
/// cannot be given from outside: the crate takes no memory of its caller.
#[derive(Clone, Copy, Debug, Default)]
pub struct SimdArgon2id;

impl SimdArgon2id {
    /// Which instructions it computes with on this machine: `avx512`, `avx2`, `sse2`, `neon` or `scalar`.
    #[must_use]
    pub fn instructions(self) -> String {
        argon2_rust::detected_backend().to_string()
    }
}

impl Argon2idEngine for SimdArgon2id {
    fn memory(&self, kib: u32) -> Option<Box<dyn WorkingMemory>> {
        // One pass over one lane: what is reserved depends on the memory alone, and each operation brings its own.
        let params = Params::builder().memory(Memory::kib(u64::from(kib))).passes(1).lanes(1).build().ok()?;
        let mut hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hasher();
        hasher.reserve().ok()?;
        Some(Box::new(Arena(hasher)))
    }
}

struct Arena(Hasher);

impl WorkingMemory for Arena {
    fn derive(&mut self, input: &Argon2idInput<'_>, tag: &mut [u8]) -> Result<(), EngineFailed> {
        let params = settings(input.params, tag.len()).ok_or(EngineFailed)?;
        self.0.set_argon2(Argon2::new(Algorithm::Argon2id, Version::V0x13, params));
        self.0.hash_into_with_ad(input.password, input.salt, input.secret, &[], tag).map_err(|_| EngineFailed)
    }

    /// Nothing: the crate, with its feature `zeroize-memory`, overwrites all that an operation reached before it returns from
    /// it, also when it fails or panics.
    fn wipe(&mut self) {}
}

/// One thread, whatever the lanes: an operation takes one processor.
fn settings(params: passwords::Params, tag: usize) -> Option<Params> {
    Params::builder()
        .memory(Memory::kib(u64::from(params.memory_kib())))
        .passes(params.passes())
        .lanes(params.lanes())
        .threads(1)
        .tag_len(TagLen::bytes(u64::try_from(tag).ok()?))
        .build()
        .ok()
}
