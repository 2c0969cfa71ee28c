import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

/** Requests the URL it is given with both of Java's clients, neither of which is set up in any way. */
class Get {
    public static void main(String[] arguments) throws Exception {
        var uri = URI.create(arguments[0]);
        var old = (HttpURLConnection) uri.toURL().openConnection();
        var status = HttpClient.newHttpClient().send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
        System.exit(old.getResponseCode() == 200 && status.statusCode() == 200 ? 0 : 2);
    }
}
