//! jsonwebtoken on the RustCrypto crates.

#[path = "../../jsonwebtoken.rs"]
mod both;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    both::main()
}
