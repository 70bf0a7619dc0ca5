//! The attacks on signed tokens that are known, one test or more for each row of the list: 1 to 8 on algorithms, keys and
//! signatures, 9 to 13 on encodings and headers, 14 to 19 on claims and sizes. Each is tried on every algorithm it can
//! concern, and a good token stands beside it.

mod claims;
mod encodings;
mod keys;
mod rsa;
mod sizes;
