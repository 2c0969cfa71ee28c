# squid's helper that compares `channel CONNECT-host SNI`: a missing SNI (`-`) is not the host.
{
    print $1, $3 != "-" && tolower($2) == tolower($3) ? "OK" : "ERR"
}
