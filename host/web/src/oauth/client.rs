/// How a client proves who it is: `private_key_jwt` (RFC 7523 section 2.2).
///
/// The fields stand in every form by themselves, since `serde(flatten)` would take a
/// parameter that is sent twice (RFC 6749 section 3.2 refuses it).
macro_rules! form_with_client {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident,)* }) => {
        $(#[$doc])*
        #[derive(serde::Deserialize, utoipa::ToSchema)]
        pub(crate) struct $name {
            $($(#[$field_doc])* $field: Option<String>,)*
            /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
            client_assertion_type: Option<String>,
            /// A JWT signed with a registered key.
            client_assertion: Option<String>,
            /// The same as the assertion's `sub`.
            client_id: Option<String>,
        }

        impl $name {
            fn client(&mut self) -> qiao_auth::ClientAssertion {
                qiao_auth::ClientAssertion {
                    client_assertion_type: self.client_assertion_type.take(),
                    client_assertion: self.client_assertion.take(),
                    client_id: self.client_id.take(),
                }
            }
        }
    };
}
pub(crate) use form_with_client;
