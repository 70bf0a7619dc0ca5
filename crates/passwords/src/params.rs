//! How much work a hash is.

use std::fmt;

use crate::{Error, ErrorKind};

/// The cost of one hash: memory in KiB, passes over it, lanes.
///
/// Lanes are computed one after the other: more than one makes nothing faster here and is only read for hashes made
/// elsewhere.
///
/// ```
/// use bartizan_passwords::Params;
///
/// let stronger = Params::new(64 * 1024, 3, 1)?;      // 64 MiB, 3 passes
/// assert!(stronger.blocks() > Params::OWASP.blocks());
/// assert!(Params::new(4 * 1024, 3, 1).is_err());     // below the floor
/// # Ok::<(), bartizan_passwords::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Params {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Params {
    /// 19,456 KiB (19 MiB), two passes, one lane: the floor of OWASP's Password Storage Cheat Sheet and of ASVS 5.0,
    /// Appendix C.
    pub const OWASP: Self = Self { memory_kib: 19_456, passes: 2, lanes: 1 };

    /// 262,144 KiB (256 MiB), 16 passes, 16 lanes: the most that a stored hash may ask for unless
    /// [`Passwords::accepting_at_most`](crate::Passwords::accepting_at_most) says otherwise.
    pub const CEILING: Self = Self { memory_kib: 262_144, passes: 16, lanes: 16 };

    /// Parameters at or above the floor: at least 19,456 KiB with two passes, or 47,104 KiB with one (ASVS 5.0,
    /// Appendix C).
    ///
    /// # Errors
    /// [`ErrorKind::Params`] below the floor, over 4 GiB, over 64 passes, over 64 lanes, or with under 8 KiB a lane.
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, Error> {
        match Self::danger_weak(memory_kib, passes, lanes) {
            Ok(params) if params.reaches_floor() => Ok(params),
            _ => Err(Error::new(ErrorKind::Params)),
        }
    }

    /// Parameters that may be below the floor: for tests, which want no work.
    ///
    /// # Errors
    /// [`ErrorKind::Params`] beyond the other bounds of [`Params::new`].
    ///
    /// # Security
    /// A stolen table of such hashes is read in hours. Search for this name before you ship.
    pub const fn danger_weak(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, Error> {
        let within = memory_kib <= MAX_MEMORY_KIB
            && passes >= 1
            && passes <= MAX_PASSES
            && lanes >= 1
            && lanes <= MAX_LANES
            // RFC 9106 section 3.1: at least 8 KiB for each lane.
            && memory_kib >= 8 * lanes;
        if within { Ok(Self { memory_kib, passes, lanes }) } else { Err(Error::new(ErrorKind::Params)) }
    }

    /// Memory in KiB.
    #[must_use]
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Memory in bytes: what one operation takes of the budget.
    #[must_use]
    pub const fn memory_bytes(self) -> u64 {
        self.memory_kib as u64 * 1024
    }

    /// Passes over the memory.
    #[must_use]
    pub const fn passes(self) -> u32 {
        self.passes
    }

    /// Lanes.
    #[must_use]
    pub const fn lanes(self) -> u32 {
        self.lanes
    }

    /// The work of one operation in blocks of 1 KiB: memory times passes.
    #[must_use]
    pub const fn blocks(self) -> u64 {
        // RFC 9106 section 3.2: the memory is rounded down to four blocks for each lane.
        let rounded = self.memory_kib / (4 * self.lanes) * (4 * self.lanes);
        rounded as u64 * self.passes as u64
    }

    const fn reaches_floor(self) -> bool {
        match self.passes {
            1 => self.memory_kib >= 47_104,
            _ => self.memory_kib >= Self::OWASP.memory_kib,
        }
    }

    /// Whether no number of it is above `most`'s.
    pub(crate) const fn is_within(self, most: Self) -> bool {
        self.memory_kib <= most.memory_kib && self.passes <= most.passes && self.lanes <= most.lanes
    }

    /// Whether a hash made with `self` is weaker than one made with `other`: less work, or as much over less memory.
    ///
    /// INVARIANT(monotone): this is a strict order, so that hashing again never lowers the work and never goes in a circle
    /// between two services with different parameters.
    pub(crate) fn is_weaker_than(self, other: Self) -> bool {
        (self.blocks(), self.memory_kib) < (other.blocks(), other.memory_kib)
    }

    /// One more operation that brings `self` up to the work of `other`, if a whole block is missing.
    pub(crate) fn missing_to(self, other: Self) -> Option<Self> {
        let blocks = other.blocks().checked_sub(self.blocks())?;
        if blocks < 8 {
            return None;
        }
        let passes = blocks.div_ceil(u64::from(other.memory_kib));
        let memory_kib = blocks / passes;
        Self::danger_weak(u32::try_from(memory_kib).ok()?, u32::try_from(passes).ok()?, 1).ok()
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={},t={},p={}", self.memory_kib, self.passes, self.lanes)
    }
}

const MAX_MEMORY_KIB: u32 = 4 * 1024 * 1024;
const MAX_PASSES: u32 = 64;
const MAX_LANES: u32 = 64;
