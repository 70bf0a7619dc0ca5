//! One request and its answer on one connection.

use http::{
    HeaderMap, StatusCode,
    header::{CONTENT_ENCODING, HOST, HeaderValue, USER_AGENT},
};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};

use crate::{Error, ErrorKind, Request, Response, connection::Connection};

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The connection was gone before anything of an answer came: an older one may just have been closed.
    Gone(Error),
    Other(Error),
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Gone(error) | Failed::Other(error) => error,
        }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// Sends and reads to the end.
pub(crate) async fn exchange(
    connection: &mut Connection,
    request: &Request,
    max_body: usize,
) -> Result<Response, Failed> {
    let message = message(request)?;
    let answer = match connection.send(message).await {
        Ok(answer) => answer,
        Err(error) => {
            let is_gone = error.is_canceled() || error.is_closed() || error.is_incomplete_message();
            let error = connection.error(error);
            return Err(if is_gone { Failed::Gone(error) } else { Failed::Other(error) });
        }
    };
    let (head, body) = answer.into_parts();
    check(head.status, &head.headers)?;
    let goes_well = head.status.is_success();
    let (body, is_cut) = read(connection, body, max_body).await?;
    if is_cut && goes_well {
        return Err(Error::from(ErrorKind::TooLarge).into());
    }
    Ok(Response { status: head.status.as_u16(), headers: head.headers, body, is_cut })
}

fn message(request: &Request) -> Result<http::Request<Full<Bytes>>, Error> {
    let body = Full::new(Bytes::from(request.body.clone()));
    let mut message = http::Request::new(body);
    *message.method_mut() = request.method.clone();
    *message.uri_mut() = request.url.path().parse().map_err(|_| ErrorKind::Url)?;
    *message.headers_mut() = request.headers.clone();
    let host = HeaderValue::from_str(&request.url.authority()).map_err(|_| ErrorKind::Url)?;
    message.headers_mut().insert(HOST, host);
    message.headers_mut().entry(USER_AGENT).or_insert(HeaderValue::from_static("bartizan"));
    Ok(message)
}

/// What is refused before a byte of the body is looked at.
fn check(status: StatusCode, headers: &HeaderMap) -> Result<(), Error> {
    // SECURITY: whoever may point elsewhere decides where requests go.
    if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
        return Err(ErrorKind::Redirect.into());
    }
    if status.is_informational() || status.as_u16() >= 600 {
        return Err(ErrorKind::Protocol.into());
    }
    // SECURITY: a kilobyte of gzip may be a gigabyte of anything. None was asked for.
    let is_plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if headers.get_all(CONTENT_ENCODING).iter().all(is_plain) {
        Ok(())
    } else {
        Err(ErrorKind::Encoding.into())
    }
}

/// The body up to its limit, and whether there was more.
async fn read(connection: &mut Connection, mut body: Incoming, max: usize) -> Result<(Vec<u8>, bool), Error> {
    // What says beforehand that it is too large is not begun.
    if body.size_hint().lower() > u64::try_from(max).unwrap_or(u64::MAX) {
        return Ok((Vec::new(), true));
    }
    let mut bytes = Vec::new();
    while let Some(frame) = connection.drive(body.frame()).await {
        let frame = frame.map_err(|error| connection.error(error))?;
        let Ok(data) = frame.into_data() else { continue };
        let rest = max.saturating_sub(bytes.len());
        if let Some(too_much) = data.get(..rest).filter(|_| data.len() > rest) {
            bytes.extend_from_slice(too_much);
            return Ok((bytes, true));
        }
        bytes.extend_from_slice(&data);
    }
    Ok((bytes, false))
}
