use super::{
    EgressError, RESPONSE_BODY_BYTES_MAX, RESPONSE_HEADER_BYTES_MAX, RESPONSE_HEADERS_MAX, explain,
};

/// A whole response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EgressResponse {
    /// The HTTP status.
    pub status: u16,
    /// Headers whose values are text, with lower-case names.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Reads the response within its limits; the time limit of the request goes on
/// until the last byte.
pub(super) async fn read(
    mut response: reqwest::Response,
    host: &str,
) -> Result<EgressResponse, EgressError> {
    let headers = read_headers(response.headers())?;
    let too_large = || EgressError::ResponseTooLarge {
        limit: RESPONSE_BODY_BYTES_MAX,
        of: "bytes",
    };
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).map_or(true, |bytes| bytes > RESPONSE_BODY_BYTES_MAX) {
        return Err(too_large());
    }
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| explain(error, host))?
    {
        if body.len() + chunk.len() > RESPONSE_BODY_BYTES_MAX {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(EgressResponse {
        status,
        headers,
        body,
    })
}

fn read_headers(
    headers: &reqwest::header::HeaderMap,
) -> Result<Vec<(String, String)>, EgressError> {
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if bytes > RESPONSE_HEADER_BYTES_MAX {
        return Err(EgressError::ResponseTooLarge {
            limit: RESPONSE_HEADER_BYTES_MAX,
            of: "bytes of headers",
        });
    }
    if headers.len() > RESPONSE_HEADERS_MAX {
        return Err(EgressError::ResponseTooLarge {
            limit: RESPONSE_HEADERS_MAX,
            of: "headers",
        });
    }
    Ok(headers
        .iter()
        .filter_map(|(name, value)| {
            let value = value.to_str().ok()?;
            Some((name.as_str().to_owned(), value.to_owned()))
        })
        .collect())
}
