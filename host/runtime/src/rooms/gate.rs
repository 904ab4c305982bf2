use qiao_auth::{Auth, Denied, Permit, PluginCaller};
use qiao_model::{InstitutionId, Scope, UserId};

use crate::ports::{Answering, GatePort, PortUnavailable};

impl GatePort for Auth {
    fn permit(&self, caller: &PluginCaller, scope: Scope) -> Result<Permit, Denied> {
        self.permit_plugin(caller, scope)
    }

    fn subject(&self, institution: InstitutionId, user: UserId) -> String {
        Self::subject(self, institution, user)
    }

    fn user_of_subject<'a>(
        &'a self,
        institution: InstitutionId,
        subject: &'a str,
    ) -> Answering<'a, Result<Option<UserId>, PortUnavailable>> {
        Box::pin(async move {
            Self::user_of_subject(self, institution, subject)
                .await
                .map_err(|error| PortUnavailable::because("a subject was not looked up", &error))
        })
    }
}
