//! A text as a QR code, drawn in SVG.

use std::fmt::Write;

use bartizan_core::SecretText;
use qrcodegen::{QrCode, QrCodeEcc};
use zeroize::Zeroizing;

use crate::{Error, ErrorKind};

/// One path on a white ground with the quiet zone that ISO/IEC 18004 section 6.3.8 asks for. `title` is text of ours: it is not
/// escaped.
pub(crate) fn svg(text: &SecretText, title: &'static str) -> Result<SecretText, Error> {
    let code = QrCode::encode_text(text.expose(), QrCodeEcc::Medium).map_err(|_| ErrorKind::Primitive)?;
    let size = code.size();
    let whole = size + 2 * QUIET;
    // Room for every module drawn alone, so that no growth leaves an unwiped copy behind.
    let modules = usize::try_from(size * size).map_err(|_| ErrorKind::Primitive)?;
    let mut svg = Zeroizing::new(String::with_capacity(AROUND + PIECE * modules.div_ceil(2)));
    let mut write = |piece: std::fmt::Arguments<'_>| svg.write_fmt(piece).map_err(|_| ErrorKind::Primitive);
    write(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{title}\" viewBox=\"0 0 {whole} {whole}\" \
         shape-rendering=\"crispEdges\"><title>{title}</title><rect width=\"{whole}\" height=\"{whole}\" fill=\"#fff\"/>\
         <path fill=\"#000\" d=\""
    ))?;
    for y in 0..size {
        let mut x = 0;
        while x < size {
            let run = (x..size).take_while(|x| code.get_module(*x, y)).count();
            if run > 0 {
                write(format_args!("M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET))?;
            }
            x += i32::try_from(run.max(1)).unwrap_or(size);
        }
    }
    write(format_args!("\"/></svg>"))?;
    Ok(SecretText::new(std::mem::take(&mut *svg)))
}

/// Light modules on each side.
const QUIET: i32 = 4;
/// Longest piece: `M177 177h1v1h-1z`, and there is a light module between any two.
const PIECE: usize = 20;
const AROUND: usize = 512;
