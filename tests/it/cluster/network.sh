# Run by `unshare -Urn sh network.sh COUNT`: a router, and a network namespace for each node behind it, at 10.77.N.2.
# Says the process of each namespace, the router's own first; all end when stdin does.
set -eu
exec 3<&0
mine=$(readlink /proc/self/ns/net)
ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward
# What has no way back is carried all the same: that is what a cut of one way is.
for which in all default; do echo 0 >/proc/sys/net/ipv4/conf/$which/rp_filter; done
echo $$
for n in $(seq "$1"); do
    unshare -n cat <&3 >/dev/null &
    node=$!
    until [ "$(readlink /proc/$node/ns/net)" != "$mine" ]; do sleep 0.01; done
    ip link add "node$n" type veth peer name eth0 netns "$node"
    ip addr add "10.77.$n.1/30" dev "node$n"
    ip link set "node$n" up
    nsenter --target "$node" --net sh -c "ip link set lo up && ip addr add 10.77.$n.2/30 dev eth0 && \
        ip link set eth0 up && ip route add default via 10.77.$n.1"
    echo "$node"
done
exec cat >/dev/null
