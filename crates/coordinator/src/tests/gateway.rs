//! Gateways that behave and that do not.

use std::{net::SocketAddr, time::Duration};

use lango_identity::{
    Authority, Lifetime, Oid, PayloadType, Region, Role, Signer, SpiffeId, TlsIdentity, digest, server_config,
};
use lango_privacy::{Accounting, Loss};
use lango_transport::{Pressure, ServerLimits};
use lango_wire::{
    Basics, BudgetFault, Cells, Charged, Refusal, SignedPrice, SignedRefusal, SignedRelease,
    pb::{
        self,
        gateway_service_server::{GatewayService, GatewayServiceServer},
    },
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tonic::{Request, Response, Status, service::Routes};

const EKU: &str = "1.3.6.1.4.1.32473.1.1";

/// What a gateway does with every question.
#[derive(Debug, Clone, Copy)]
pub enum Behaviour {
    /// Releases.
    Answers,
    /// Releases, laid out by something else than was asked.
    AnswersAnother,
    /// Releases, but says beside the envelope what is not in it.
    AnswersBeside,
    /// Releases, but another office signs.
    SignedBy(&'static str),
    /// Refuses and signs that.
    Refuses,
    /// Signs the refusal of another request.
    RefusesAnother,
    /// Refuses.
    RefusesUnsigned,
    /// Does nothing for longer than anybody waits.
    Sleeps,
}

/// A region.
pub struct World {
    authority: Authority,
    pub region: Region,
}

/// How to end a gateway.
pub struct Stop(oneshot::Sender<()>, JoinHandle<()>);

impl Stop {
    pub async fn stop(self) {
        self.0.send(()).unwrap();
        self.1.await.unwrap();
    }
}

impl World {
    pub fn new() -> Self {
        let authority = Authority::new("lango.example", "Test authority", today()).unwrap();
        let region = authority.region(EKU.parse().unwrap()).unwrap();
        Self { authority, region }
    }

    pub fn office(name: &str) -> SpiffeId {
        SpiffeId::new("lango.example", Role::Office, name).unwrap()
    }

    pub fn tls(&self, role: Role, name: &str) -> TlsIdentity {
        let id = SpiffeId::new("lango.example", role, name).unwrap();
        let issued = self.authority.issue_tls(&id, today(), &["127.0.0.1"]).unwrap();
        TlsIdentity::from_pem(issued.certificate_pem.as_bytes(), issued.key_pem.as_bytes()).unwrap()
    }

    pub fn signer(&self, role: Role, name: &str) -> Signer {
        let id = SpiffeId::new("lango.example", role, name).unwrap();
        let eku: Oid = EKU.parse().unwrap();
        let issued = self.authority.issue_signing(&id, today(), &eku).unwrap();
        Signer::from_pem(issued.certificate_pem.as_bytes(), issued.key_pem.as_bytes()).unwrap()
    }

    /// Starts a gateway.
    pub async fn gateway(&self, office: &str, behaviour: Behaviour, listen: &str) -> (SocketAddr, Stop) {
        let listener = TcpListener::bind(listen).await.unwrap();
        let socket = listener.local_addr().unwrap();
        let config = server_config(&self.tls(Role::Office, office), &self.region).unwrap();
        let signer = match behaviour {
            Behaviour::SignedBy(other) => self.signer(Role::Office, other),
            _ => self.signer(Role::Office, office),
        };
        let gateway = ScriptedGateway { office: Self::office(office), signer, behaviour };
        let (stop, stopped) = oneshot::channel();
        // Who drops the handle lets the gateway run on.
        let stopped = async move {
            if stopped.await.is_err() {
                std::future::pending().await
            }
        };
        let routes = Routes::new(GatewayServiceServer::new(gateway));
        let served = tokio::spawn(async move {
            let metrics = lango_metrics::Metrics::of_gateway(&[]);
            let limits = (&ServerLimits::default(), &Pressure::default(), &metrics);
            lango_transport::serve(listener, config, routes, limits, stopped).await;
        });
        (socket, Stop(stop, served))
    }
}

fn today() -> Lifetime {
    Lifetime::days(crate::clock::now(), 1)
}

struct ScriptedGateway {
    office: SpiffeId,
    signer: Signer,
    behaviour: Behaviour,
}

impl ScriptedGateway {
    /// Plan and layout.
    fn texts(&self) -> (String, String) {
        let dimension = if matches!(self.behaviour, Behaviour::AnswersAnother) { "age" } else { "sex" };
        let layout = format!("codes {dimension} F,M,_O,_U\nmargin persons by {dimension}\n");
        let plan = format!(
            "lango-plan 1\nunit person rows_at_most 1 cells_at_most 1\nterms {}\n\
             margin persons by {dimension} mechanism discrete-laplace scale 2 sensitivity 1 price 500000000\n",
            "00".repeat(32)
        );
        (plan, layout)
    }

    fn charged() -> Charged {
        Charged { loss: Loss::pure(500_000_000), repeated: false, account: Accounting::Pure }
    }

    fn basics(&self, kind: PayloadType, payload: &[u8], plan: &str, layout: &str) -> Basics {
        let analyst = SpiffeId::new("lango.example", Role::Analyst, "awa").unwrap();
        let question = lango_wire::Question::decode(payload, &analyst).unwrap();
        Basics {
            request_digest: digest(kind, payload),
            query_digest: digest(PayloadType::Text, question.query.as_bytes()),
            office: self.signer.principal().clone(),
            dataset_version: "2024-07-01".to_owned(),
            policy_digest: [3; 32],
            plan_digest: digest(PayloadType::Plan, plan.as_bytes()),
            layout_digest: digest(PayloadType::Layout, layout.as_bytes()),
            loss: Loss::pure(500_000_000),
            time: 1,
        }
    }

    async fn refusal(&self, kind: PayloadType, payload: &[u8]) -> Result<(), Status> {
        let request_digest = match self.behaviour {
            Behaviour::Refuses => digest(kind, payload),
            Behaviour::RefusesAnother => [9; 32],
            Behaviour::RefusesUnsigned => return Err(lango_wire::status::unauthenticated()),
            Behaviour::Sleeps => {
                tokio::time::sleep(Duration::from_secs(60)).await;
                return Ok(());
            }
            _ => return Ok(()),
        };
        let fault = BudgetFault::Delta { dataset: "residents".to_owned(), grant: None };
        let refusal = Refusal::Budget(fault);
        let signed = SignedRefusal {
            request_digest,
            office: self.office.clone(),
            code: refusal.code().into(),
            time: 1,
            arguments: refusal.arguments(),
        };
        Err(refusal.into_status(Some(self.signer.sign(PayloadType::Refusal, signed.encode()))))
    }
}

#[tonic::async_trait]
impl GatewayService for ScriptedGateway {
    async fn describe(
        &self,
        _: Request<pb::GatewayServiceDescribeRequest>,
    ) -> Result<Response<pb::GatewayServiceDescribeResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn estimate(
        &self,
        request: Request<pb::GatewayServiceEstimateRequest>,
    ) -> Result<Response<pb::GatewayServiceEstimateResponse>, Status> {
        let envelope = request.into_inner().estimate.unwrap();
        self.refusal(PayloadType::Estimate, &envelope.payload).await?;
        let (plan, layout) = self.texts();
        let basics = self.basics(PayloadType::Estimate, &envelope.payload, &plan, &layout);
        let charged = Self::charged();
        let signed = SignedPrice {
            basics,
            charged,
            queries_left: 3,
            bounds_drop: String::new(),
            reviewed: Default::default(),
            shown_if: None,
        };
        let estimate = Some(pb::Estimate {
            office: self.office.to_string(),
            plan,
            layout,
            loss: Some(charged.loss.into()),
            charged: Some(charged.loss.into()),
            account: Some(charged.account.into()),
            // A gateway that says another number than it signed.
            queries_left: if matches!(self.behaviour, Behaviour::AnswersBeside) { 9 } else { 3 },
            repeated: false,
            dataset_version: "2024-07-01".to_owned(),
            bounds_drop: String::new(),
            envelope: Some(self.signer.sign(PayloadType::Price, signed.encode()).into()),
        });
        Ok(Response::new(pb::GatewayServiceEstimateResponse { estimate }))
    }

    async fn query(
        &self,
        request: Request<pb::GatewayServiceQueryRequest>,
    ) -> Result<Response<pb::GatewayServiceQueryResponse>, Status> {
        let payload = request.into_inner().query.unwrap().payload;
        self.refusal(PayloadType::Query, &payload).await?;
        let (plan, layout) = self.texts();
        let cells = vec![10, 20, 0, -1];
        let charged = Self::charged();
        let statement = SignedRelease {
            basics: self.basics(PayloadType::Query, &payload, &plan, &layout),
            cells_digest: Cells(&cells).digest(),
            release_id: [4; 16],
            charged: Some(charged),
            agreement: None,
            hidden: None,
        };
        let repeated = matches!(self.behaviour, Behaviour::AnswersBeside);
        let release = Some(pb::Release {
            envelope: Some(self.signer.sign(PayloadType::Release, statement.encode()).into()),
            plan,
            layout,
            cells,
            charged: Some(charged.loss.into()),
            repeated,
            account: Some(charged.account.into()),
            earlier: Vec::new(),
            hidden: Vec::new(),
            receipt: None,
        });
        Ok(Response::new(pb::GatewayServiceQueryResponse { release }))
    }

    async fn get_release(
        &self,
        _: Request<pb::GatewayServiceGetReleaseRequest>,
    ) -> Result<Response<pb::GatewayServiceGetReleaseResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }
}
