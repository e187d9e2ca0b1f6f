//! Clients that take no more than what was asked can be answered with, and hand it on as it came.

use lango_identity::SpiffeId;
use lango_trace::{TRACEPARENT, TraceContext};
use prost::Message;
use tonic::{
    Request, Response, Status, Streaming, client::Grpc, codegen::http::uri::PathAndQuery,
    metadata::MetadataValue, transport::Channel,
};
use tonic_prost::ProstCodec;

use crate::{
    limits::{
        ANSWER_BYTES_MAX, AUDITED_BYTES_MAX, CERTIFICATES_BYTES_MAX, DESCRIPTION_BYTES_MAX,
        MEMBERS_BYTES_MAX, PASSED_ON_BYTES_MAX, PRICE_BYTES_MAX, REQUEST_BYTES_MAX, REVOCATIONS_BYTES_MAX,
        SHOWN_BYTES_MAX,
    },
    pb,
    sealed::{
        GatewayDescription, GatewayPrice, GatewayRelease, SealedDescribeResponse, SealedDescription,
        SealedEstimateResponse, SealedPrice, SealedQueryResponse, SealedRelease,
    },
};

/// A gateway's client, for those who verify what they get.
#[derive(Debug, Clone)]
pub struct GatewayClient {
    channel: Channel,
    trace: Option<TraceContext>,
}

impl GatewayClient {
    /// A client over a connection.
    pub fn new(channel: Channel) -> Self {
        Self { channel, trace: None }
    }

    /// The same, whose calls say that they belong to a trace. Nobody signs that: the gateway takes it as a label.
    pub fn traced(&self, trace: Option<TraceContext>) -> Self {
        Self { channel: self.channel.clone(), trace }
    }

    /// Asks a question, and returns as soon as the answer begins.
    ///
    /// # Errors
    /// The gateway's status.
    pub async fn query(&self, query: pb::Envelope) -> Result<Coming<SealedRelease>, Status> {
        let request = pb::GatewayServiceQueryRequest { query: Some(query) };
        let path = "/lango.v1.GatewayService/Query";
        let stream = streamed((&self.channel, self.trace), path, request, ANSWER_BYTES_MAX).await?;
        Ok(Coming { stream, part: |response: GatewayRelease| response.release })
    }

    /// Asks for a price, and returns as soon as it begins.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub async fn estimate(
        &self,
        estimate: pb::Envelope,
    ) -> Result<Coming<SealedPrice, GatewayPrice>, Status> {
        let request = pb::GatewayServiceEstimateRequest { estimate: Some(estimate) };
        let path = "/lango.v1.GatewayService/Estimate";
        let stream = streamed((&self.channel, self.trace), path, request, PRICE_BYTES_MAX).await?;
        Ok(Coming { stream, part: |response: GatewayPrice| response.estimate })
    }

    /// Asks what is open, and returns as soon as the description begins.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub async fn describe(
        &self,
        lookup: pb::Envelope,
    ) -> Result<Coming<SealedDescription, GatewayDescription>, Status> {
        let request = pb::GatewayServiceDescribeRequest { lookup: Some(lookup) };
        let path = "/lango.v1.GatewayService/Describe";
        let stream = streamed((&self.channel, self.trace), path, request, DESCRIPTION_BYTES_MAX).await?;
        Ok(Coming { stream, part: |response: GatewayDescription| response.description })
    }
}

/// A gateway's client for its office's administrators.
#[derive(Debug, Clone)]
pub struct AdministrationClient(Channel);

impl AdministrationClient {
    /// A client over a connection.
    pub fn new(channel: Channel) -> Self {
        Self(channel)
    }

    /// Has a signed act done.
    ///
    /// # Errors
    /// The gateway's status; `OutOfRange` where what it shows is too large.
    pub async fn administer(
        &self,
        act: pb::Envelope,
    ) -> Result<pb::AdministrationServiceAdministerResponse, Status> {
        let request = pb::AdministrationServiceAdministerRequest { act: Some(act) };
        unary((&self.0, None), "/lango.v1.AdministrationService/Administer", request, SHOWN_BYTES_MAX).await
    }
}

/// A gateway's client for auditors.
#[derive(Debug, Clone)]
pub struct AuditClient(Channel);

impl AuditClient {
    /// A client over a connection.
    pub fn new(channel: Channel) -> Self {
        Self(channel)
    }

    /// Looks up what is signed.
    ///
    /// # Errors
    /// The gateway's status; `OutOfRange` where what it shows is too large.
    pub async fn audit(&self, lookup: pb::Envelope) -> Result<pb::AuditServiceAuditResponse, Status> {
        let request = pb::AuditServiceAuditRequest { lookup: Some(lookup) };
        unary((&self.0, None), "/lango.v1.AuditService/Audit", request, AUDITED_BYTES_MAX).await
    }
}

/// A gateway's client for those who witness its log.
#[derive(Debug, Clone)]
pub struct WitnessClient(Channel);

impl WitnessClient {
    /// A client over a connection.
    pub fn new(channel: Channel) -> Self {
        Self(channel)
    }

    /// Has a signed act done.
    ///
    /// # Errors
    /// The gateway's status; `OutOfRange` where what it shows is too large.
    pub async fn witness(&self, act: pb::Envelope) -> Result<pb::WitnessServiceWitnessResponse, Status> {
        let request = pb::WitnessServiceWitnessRequest { act: Some(act) };
        unary((&self.0, None), "/lango.v1.WitnessService/Witness", request, REQUEST_BYTES_MAX).await
    }
}

/// An answer that has begun to come. No more of it is read than the connection's window holds until it is asked for.
pub struct Coming<T, R = GatewayRelease> {
    stream: Streaming<R>,
    part: fn(R) -> Option<T>,
}

impl<T: Default, R> Coming<T, R> {
    /// All of it.
    ///
    /// # Errors
    /// The gateway's status; `OutOfRange` where the answer is too large.
    pub async fn whole(mut self) -> Result<T, Status> {
        let Some(response) = self.stream.message().await? else {
            return Err(Status::internal("the answer is empty"));
        };
        // Its end, which may say that it failed after all.
        if self.stream.message().await?.is_some() {
            return Err(Status::internal("the answer is more than one"));
        }
        Ok((self.part)(response).unwrap_or_default())
    }
}

/// A coordinator's client, for those who verify what they get.
#[derive(Debug, Clone)]
pub struct CoordinatorClient {
    channel: Channel,
    trace: Option<TraceContext>,
}

impl CoordinatorClient {
    /// A client over a connection.
    pub fn new(channel: Channel) -> Self {
        Self { channel, trace: None }
    }

    /// The same, whose calls say that they belong to a trace. Nobody signs that: the coordinator takes it as a label.
    pub fn traced(&self, trace: Option<TraceContext>) -> Self {
        Self { channel: self.channel.clone(), trace }
    }

    /// A page of the members, in the order of their offices.
    ///
    /// # Errors
    /// The coordinator's status; `OutOfRange` where the page is too large.
    pub async fn list_members(
        &self,
        page_token: String,
    ) -> Result<pb::CoordinatorServiceListMembersResponse, Status> {
        let request = pb::CoordinatorServiceListMembersRequest { page_size: 0, page_token };
        unary(
            (&self.channel, self.trace),
            "/lango.v1.CoordinatorService/ListMembers",
            request,
            MEMBERS_BYTES_MAX,
        )
        .await
    }

    /// The revocation lists that it has in use, in PEM: who fetches them verifies them.
    ///
    /// # Errors
    /// As [`Self::list_members`].
    pub async fn get_revocations(&self) -> Result<String, Status> {
        let request = pb::CoordinatorServiceGetRevocationsRequest {};
        let path = "/lango.v1.CoordinatorService/GetRevocations";
        let found: pb::CoordinatorServiceGetRevocationsResponse =
            unary((&self.channel, self.trace), path, request, REVOCATIONS_BYTES_MAX).await?;
        Ok(found.lists)
    }

    /// Leaves a request for certificates, a `request.toml` that the principal's present key signed, in the mailbox.
    ///
    /// # Errors
    /// `InvalidArgument` where it is no such request; `Unimplemented` where no mailbox is kept; else as [`Self::list_members`].
    pub async fn leave_renewal(&self, request: String) -> Result<(), Status> {
        let request = pb::CoordinatorServiceLeaveRenewalRequest { request };
        let path = "/lango.v1.CoordinatorService/LeaveRenewal";
        let _: pb::CoordinatorServiceLeaveRenewalResponse =
            unary((&self.channel, self.trace), path, request, CERTIFICATES_BYTES_MAX).await?;
        Ok(())
    }

    /// The certificates that were issued to a principal, in PEM; none where they have not come.
    ///
    /// # Errors
    /// As [`Self::leave_renewal`].
    pub async fn collect_certificates(&self, principal: &SpiffeId) -> Result<Option<String>, Status> {
        let request = pb::CoordinatorServiceCollectCertificatesRequest { principal: principal.to_string() };
        let path = "/lango.v1.CoordinatorService/CollectCertificates";
        let found: pb::CoordinatorServiceCollectCertificatesResponse =
            unary((&self.channel, self.trace), path, request, CERTIFICATES_BYTES_MAX + 1_024).await?;
        Ok(Some(found.certificates).filter(|pem| !pem.is_empty()))
    }

    /// Asks what is open at every member.
    ///
    /// # Errors
    /// As [`Self::list_members`].
    pub async fn describe(&self, lookup: pb::Envelope) -> Result<Streaming<SealedDescribeResponse>, Status> {
        let request = pb::CoordinatorServiceDescribeRequest { lookup: Some(lookup) };
        let path = "/lango.v1.CoordinatorService/Describe";
        streamed((&self.channel, self.trace), path, request, DESCRIPTION_BYTES_MAX + PASSED_ON_BYTES_MAX)
            .await
    }

    /// Asks for every member's price.
    ///
    /// # Errors
    /// As [`Self::list_members`].
    pub async fn estimate(
        &self,
        estimate: pb::Envelope,
    ) -> Result<Streaming<SealedEstimateResponse>, Status> {
        let request = pb::CoordinatorServiceEstimateRequest { estimate: Some(estimate) };
        let path = "/lango.v1.CoordinatorService/Estimate";
        streamed((&self.channel, self.trace), path, request, PRICE_BYTES_MAX + PASSED_ON_BYTES_MAX).await
    }

    /// Asks a question: every member's answer, and no combined result.
    ///
    /// # Errors
    /// As [`Self::list_members`].
    pub async fn query(
        &self,
        query: pb::Envelope,
        by_office: bool,
    ) -> Result<Streaming<SealedQueryResponse>, Status> {
        let (query, confidence) = (Some(query), String::new());
        let request = pb::CoordinatorServiceQueryRequest { query, by_office, confidence, members_only: true };
        let path = "/lango.v1.CoordinatorService/Query";
        streamed((&self.channel, self.trace), path, request, ANSWER_BYTES_MAX + PASSED_ON_BYTES_MAX).await
    }
}

async fn ready(channel: &Channel, bytes_max: usize) -> Result<Grpc<Channel>, Status> {
    let mut grpc = Grpc::new(channel.clone()).max_decoding_message_size(bytes_max);
    grpc.ready().await.map_err(|error| Status::from_error(Box::new(error)))?;
    Ok(grpc)
}

/// A request that says which trace it belongs to.
fn of_trace<T>(request: T, trace: Option<TraceContext>) -> Request<T> {
    let mut request = Request::new(request);
    let trace = trace.and_then(|trace| MetadataValue::try_from(trace.to_string()).ok());
    if let Some(trace) = trace {
        request.metadata_mut().insert(TRACEPARENT, trace);
    }
    request
}

async fn unary<T, U>(
    (channel, trace): (&Channel, Option<TraceContext>),
    path: &'static str,
    request: T,
    bytes_max: usize,
) -> Result<U, Status>
where
    T: Message + 'static,
    U: Message + Default + 'static,
{
    let mut grpc = ready(channel, bytes_max).await?;
    let codec: ProstCodec<T, U> = ProstCodec::default();
    grpc.unary(of_trace(request, trace), PathAndQuery::from_static(path), codec)
        .await
        .map(Response::into_inner)
}

async fn streamed<T, U>(
    (channel, trace): (&Channel, Option<TraceContext>),
    path: &'static str,
    request: T,
    bytes_max: usize,
) -> Result<Streaming<U>, Status>
where
    T: Message + 'static,
    U: Message + Default + 'static,
{
    let mut grpc = ready(channel, bytes_max).await?;
    let codec: ProstCodec<T, U> = ProstCodec::default();
    let path = PathAndQuery::from_static(path);
    grpc.server_streaming(of_trace(request, trace), path, codec).await.map(Response::into_inner)
}
