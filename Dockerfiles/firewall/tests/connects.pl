# Connects to each address on standard input, and prints the address and the error's number (0 for none).
use strict;
use warnings;
use Socket qw(AF_INET AF_INET6 SOCK_DGRAM inet_pton pack_sockaddr_in pack_sockaddr_in6);
$| = 1;
while (my $address = <STDIN>) {
    chomp $address;
    my $family = $address =~ /:/ ? AF_INET6 : AF_INET;
    my $packed = inet_pton($family, $address);
    socket my $socket, $family, SOCK_DGRAM, 0 or die "no socket: $!\n";
    my $to = $family == AF_INET ? pack_sockaddr_in(9, $packed) : pack_sockaddr_in6(9, $packed);
    print "$address ", (connect($socket, $to) ? 0 : $! + 0), "\n";
}
