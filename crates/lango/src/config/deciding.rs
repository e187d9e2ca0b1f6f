//! The policy that an office decides by, as its files and its store say.

use std::path::Path;

use lango_document::Document;
use lango_gateway::{Activation, Signing, WaitingPolicy, standing_files, system_clock};
use lango_identity::{Role, SpiffeId};
use lango_policy::PolicySet;
use lango_store::{Examined, StoreError};

use super::GatewayFile;
use crate::failure::Failure;

impl GatewayFile {
    /// The files of the policy that decides: the folder's where one person changes it; where it takes two, those that came into
    /// force last, and where none have, a policy that grants nothing.
    pub async fn deciding(&self, file: &Path, store: &mut Examined) -> Result<Vec<Document>, Failure> {
        match self.administrators(file)?.activation {
            Activation::One => Ok(self.policies(file)?),
            Activation::Two => {
                let kept = store.kept_policy().await?;
                let office = match &kept {
                    Some(_) => String::new(),
                    None => PolicySet::read(&self.policies(file)?)?.office,
                };
                Ok(standing_files(kept.as_ref(), &office).ok_or(StoreError::Damaged("policy"))?)
            }
        }
    }

    /// The policies that are signed, and by whom: what counts now.
    pub async fn signed(
        &self,
        file: &Path,
        office: &str,
        store: &mut Examined,
    ) -> Result<Vec<WaitingPolicy>, Failure> {
        let signatures = store.policy_signatures().await?;
        if signatures.is_empty() {
            return Ok(Vec::new());
        }
        let (administrators, region) = (self.administrators(file)?, self.region(file)?);
        let office = SpiffeId::new(self.region_name(), Role::Office, office);
        let office = office.map_err(|error| Failure::of(file.display(), error))?;
        let (administrators, now) = (&administrators, system_clock()());
        Ok(Signing { administrators, office: &office, region: &region, now }.counted(&signatures))
    }
}
