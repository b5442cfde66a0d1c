# Two workers that share one feed in Redis; Nomad replaces them one by one, and subscribers go on at the other.
#
#   nomad acl policy apply -namespace default -job nomad-changefeed nomad-changefeed deploy/nomad/policy.hcl
#   nomad var put nomad/jobs/nomad-changefeed feed='redis://:password@redis.example:6379/0?feed=prod'
#   nomad job run -var image=registry.example/nomad-changefeed:0.1.0 deploy/nomad/changefeed.nomad.hcl
#
# Nomad 1.7 or newer, with ACLs. A log in a file instead, of one worker: -var count=1, a host volume mounted at /data with
# access_mode single-node-writer, `feed=sqlite:/data/nomad-changefeed.db` in the variable, and no NCF_WORKERS.

variable "image" {
  type        = string
  description = "The image that the Dockerfile builds, in a registry that your clients reach."
}

variable "cluster" {
  type        = string
  description = "Name of this cluster in every event. A log belongs to one name: do not change it later."
  default     = "prod"
}

variable "count" {
  type        = number
  description = "Workers. Each must have the memory for everything: the last one left takes all."
  default     = 2
}

variable "memory" {
  type        = number
  description = "MB for each worker; docs/runbook.md has the sizes."
  default     = 512
}

job "nomad-changefeed" {
  type     = "service"
  priority = 70

  # One at a time: the others take over what the old one hands over, and the new one gets its share back.
  update {
    max_parallel      = 1
    health_check      = "checks"
    min_healthy_time  = "15s"
    healthy_deadline  = "5m"
    progress_deadline = "15m"
    auto_revert       = true
  }

  group "bridge" {
    count = var.count

    # Two workers on one machine would fall together.
    constraint {
      operator = "distinct_hosts"
      value    = "true"
    }

    network {
      port "http" {
        to = 4650
      }
    }

    # A feed that cannot start keeps trying: what it waits for may come back.
    restart {
      attempts = 3
      interval = "5m"
      delay    = "15s"
      mode     = "fail"
    }
    reschedule {
      delay          = "30s"
      delay_function = "exponential"
      max_delay      = "10m"
      unlimited      = true
    }

    service {
      name     = "nomad-changefeed"
      provider = "nomad"
      port     = "http"

      # Its loops turn. Where they do not, a restart helps; Redis or Nomad being away does not fail it.
      check {
        name     = "alive"
        type     = "http"
        path     = "/healthz"
        interval = "10s"
        timeout  = "5s"
        check_restart {
          limit = 6
          grace = "2m"
        }
      }
      # It has read everything once. Subscribers should be sent to it only then; a restart would not help.
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "10s"
        timeout  = "5s"
      }
    }

    task "bridge" {
      driver = "docker"

      config {
        image           = var.image
        args            = ["run"]
        ports           = ["http"]
        readonly_rootfs = true
        cap_drop        = ["all"]
        security_opt    = ["no-new-privileges"]
      }

      # The task's own token, with the rights of the policy that is bound to this job. Nomad renews it in this file before it
      # ends, and the feed reads the file anew: no restart. The nameless identity never ends; this one is short.
      identity {
        name        = "nomad"
        aud         = ["nomadproject.io"]
        file        = true
        ttl         = "1h"
        change_mode = "noop"
      }

      env {
        # The agent's API for its tasks: no address, no certificate and no limit of connections to mind.
        NOMAD_ADDR       = "unix://${NOMAD_SECRETS_DIR}/api.sock"
        NOMAD_TOKEN_FILE = "${NOMAD_SECRETS_DIR}/nomad_nomad.jwt"

        NCF_CLUSTER         = var.cluster
        NCF_WORKERS         = "redis"
        NCF_RETENTION_BYTES = "1GiB"

        NCF_LISTEN = "0.0.0.0:4650"
        # Subscribers bring their own Nomad tokens, and see what those may list. Off this network, put TLS before it.
        NCF_AUTH = "nomad"
        # For the check above and for Prometheus, which have no token. /metrics names jobs and nodes: leave it out, and
        # give Prometheus a token, where not everybody on the network may know them.
        NCF_OPEN_ROUTES = "metrics,readyz"
      }

      # The address of the log has Redis's password in it.
      template {
        data        = <<-EOT
          NCF_FEED={{ with nomadVar "nomad/jobs/nomad-changefeed" }}{{ .feed | toJSON }}{{ end }}
        EOT
        destination = "${NOMAD_SECRETS_DIR}/feed.env"
        env         = true
        change_mode = "restart"
        splay       = "1m"
      }

      resources {
        cpu    = 500
        memory = var.memory
      }

      # Out of the catalogue first, then told to end: it has 15 s to tell its subscribers and to hand over what it watches.
      shutdown_delay = "2s"
      kill_timeout   = "20s"
    }
  }
}
