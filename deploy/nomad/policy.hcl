# What the feed may do in Nomad: list and read, nothing else. With --resources that name more than the usual kinds,
# docs/resources.md says what they need.

namespace "*" {
  capabilities = ["list-jobs", "read-job"]
}

node {
  policy = "read"
}

# Nomad's version, its region and its limit of connections.
agent {
  policy = "read"
}
