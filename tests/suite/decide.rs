//! What a decision says beside the effect: which rule comes first, and what a person types to approve.

use kibosh::judge::judge;
use kibosh::normalise::Context;
use kibosh::policy::Policy;

#[test]
fn a_person_types_the_name_of_what_would_go() {
    let policy = Policy::shipped();
    for (line, resource) in [
        ("kubectl -n shop delete ns prod", "prod"),
        ("helm uninstall shop --namespace web", "shop"),
        ("docker volume rm pg", "pg"),
        (
            "aws rds delete-db-instance --skip-final-snapshot --db-instance-identifier orders --region eu-west-1",
            "orders",
        ),
        (
            "aws --profile ops cloudformation delete-stack --stack-name=shop",
            "shop",
        ),
        ("aws s3 rb s3://shop --force", "s3://shop"),
        ("az group delete -n shop --yes", "shop"),
        (
            "gcloud --project p sql instances delete orders --quiet",
            "orders",
        ),
        ("fly -a shop volumes destroy vol_1 -y", "vol_1"),
        ("vercel remove shop --yes", "shop"),
        ("terraform destroy -auto-approve", "terraform"),
        ("gcloud projects delete \"$(cat id)\"", "gcloud"),
    ] {
        let decision = judge(&policy, line, &Context::text_only()).decision;
        let first = decision.findings.first();
        assert_eq!(
            first.and_then(|finding| finding.resource.as_deref()),
            Some(resource),
            "{line}"
        );
    }
}

#[test]
fn deleting_and_creating_the_same_is_named_before_deleting() {
    let policy = Policy::shipped();
    for (line, rule) in [
        (
            "terraform destroy -auto-approve && terraform apply -auto-approve",
            "recreate.infrastructure",
        ),
        (
            "docker compose down -v && docker compose up -d",
            "recreate.containers",
        ),
        (
            "helm uninstall shop && helm install shop ./chart",
            "recreate.same-thing",
        ),
        (
            "aws cloudformation delete-stack --stack-name shop && aws cloudformation create-stack --stack-name shop",
            "recreate.same-thing",
        ),
        ("docker volume rm data", "containers.volumes"),
    ] {
        let decision = judge(&policy, line, &Context::text_only()).decision;
        let first = decision
            .findings
            .first()
            .map(|finding| finding.rule.as_str());
        assert_eq!(first, Some(rule), "{line}");
    }
}
